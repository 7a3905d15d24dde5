internal import Glibc

/// A file of a node that is written in place: slots, which `pread` and `pwrite` find by themselves.
///
/// Safe to share between readers and one writer: the offsets are in the calls.
final class DiskFile: Sendable {
    let path: String
    let descriptor: Int32

    /// - Throws: `.missing` where there is none and `flags` do not make it.
    init(path: String, flags: Int32) throws(StoreError) {
        self.path = path
        descriptor = unsafe open(path, flags | O_CLOEXEC, 0o600)
        guard descriptor < 0 else { return }
        if errno == ENOENT { throw .missing(directory: path) }
        throw Self.failure("open \(path)")
    }

    deinit { close(descriptor) }

    var byteCount: Int {
        get throws(StoreError) {
            var status = stat()
            guard unsafe fstat(descriptor, &status) == 0 else { throw Self.failure("fstat \(path)") }
            return Int(status.st_size)
        }
    }

    /// The bytes at `start`, fewer at the end of the file.
    func read(_ count: Int, at start: Int) throws(StoreError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var found = 0
        while found < count {
            let piece = unsafe bytes.withUnsafeMutableBytes {
                unsafe pread(descriptor, $0.baseAddress?.advanced(by: found), count - found, start + found)
            }
            if piece < 0, errno == EINTR { continue }
            guard piece >= 0 else { throw Self.failure("read \(path)") }
            if piece == 0 { break }
            found += piece
        }
        bytes.removeLast(count - found)
        return bytes
    }

    func write(_ bytes: [UInt8], at start: Int) throws(StoreError) {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe pwrite(
                    descriptor, $0.baseAddress?.advanced(by: written), bytes.count - written, start + written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                if StoreError.meansFull(errno) { throw .full(directory: path) }
                throw Self.failure("write \(path)")
            }
            written += count
        }
    }

    /// Returns when everything written is on the disk. How long the file is, too.
    func flush() throws(StoreError) {
        guard fdatasync(descriptor) == 0 else { throw Self.failure("fdatasync \(path)") }
    }

    private static func failure(_ operation: String) -> StoreError {
        .system(operation: operation, code: errno, reason: unsafe String(cString: strerror(errno)))
    }
}
