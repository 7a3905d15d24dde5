import Glibc

/// A directory of files as a value: what is to be written, in this order.
struct LedgerFiles: Sendable, Equatable {
    struct File: Sendable, Equatable {
        /// Relative to the directory, `clients/ci/ci.key`.
        let path: String
        let mode: UInt32
        let bytes: [UInt8]

        /// For its owner's eyes only.
        static func secret(_ path: String, _ text: String) -> File {
            File(path: path, mode: 0o600, bytes: Array(text.utf8))
        }
        static func open(_ path: String, _ bytes: [UInt8]) -> File {
            File(path: path, mode: 0o644, bytes: bytes)
        }
        static func open(_ path: String, _ text: String) -> File { .open(path, Array(text.utf8)) }
    }

    /// Directories that are to exist even without a file in them.
    let directories: [String]
    let files: [File]

    /// Writes everything, or throws and leaves what it wrote: the last file then is missing, which says so.
    ///
    /// Directories get mode 0700. Every file is made new (an existing one, or a link, is refused), has its mode
    /// before it has its bytes, and is flushed to disk: keys that were used must not vanish with the power.
    func write(to directory: String) throws(LedgerFilesFailure) {
        try Self.requireEmpty(directory)
        var made = [directory]
        try Self.makeDirectory(directory)
        for path in directories + files.map({ Self.parent($0.path) }) where !path.isEmpty {
            var prefix = directory
            for component in path.split(separator: "/") {
                prefix += "/" + component
                if !made.contains(prefix) {
                    try Self.makeDirectory(prefix)
                    made.append(prefix)
                }
            }
        }
        for file in files { try Self.write(file, under: directory) }
        for path in made.reversed() { try Self.flushDirectory(path) }
    }

    /// Refuses a directory that holds anything, hidden files included. One that does not exist is empty.
    static func requireEmpty(_ directory: String) throws(LedgerFilesFailure) {
        guard let stream = opendir(directory) else {
            switch errno {
            case ENOENT: return
            case ENOTDIR: throw .notADirectory(directory)
            default: throw .system("open", directory)
            }
        }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let isSelfOrParent = withUnsafeBytes(of: &entry.pointee.d_name) { name in
                name.starts(with: [UInt8(ascii: "."), 0])
                    || name.starts(with: [UInt8(ascii: "."), UInt8(ascii: "."), 0])
            }
            guard isSelfOrParent else { throw .notEmpty(directory) }
        }
    }

    private static func parent(_ path: String) -> String {
        path.split(separator: "/").dropLast().joined(separator: "/")
    }

    private static func makeDirectory(_ path: String) throws(LedgerFilesFailure) {
        guard mkdir(path, 0o700) != 0, errno != EEXIST else { return }
        // The directory that the operator named may lie below others that do not exist yet.
        if errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeDirectory(String(path[..<slash]))
            guard mkdir(path, 0o700) != 0 else { return }
        }
        throw .system("make", path)
    }

    private static func write(_ file: File, under directory: String) throws(LedgerFilesFailure) {
        let path = directory + "/" + file.path
        // O_EXCL also refuses a link that someone laid in the way.
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file.mode)
        guard descriptor >= 0 else { throw errno == EEXIST ? .notEmpty(directory) : .system("make", path) }
        defer { close(descriptor) }
        // The umask may have taken bits away that others need.
        guard fchmod(descriptor, file.mode) == 0 else { throw .system("set the mode of", path) }
        var written = 0
        while written < file.bytes.count {
            let count = file.bytes.withUnsafeBytes { bytes in
                Glibc.write(descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .system("write", path) }
            written += count
        }
        guard fsync(descriptor) == 0 else { throw .system("flush", path) }
    }

    private static func flushDirectory(_ path: String) throws(LedgerFilesFailure) {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system("flush", path) }
    }
}

/// Why the files of a ledger were not written.
enum LedgerFilesFailure: Error, Equatable {
    case notEmpty(String)
    case notADirectory(String)
    case system(path: String, call: String, reason: String)

    /// The last system call failed; reads `errno`.
    fileprivate static func system(_ call: String, _ path: String) -> LedgerFilesFailure {
        let number = errno
        return .system(
            path: path, call: call, reason: strerror(number).map { String(cString: $0) } ?? "error \(number)")
    }
}
