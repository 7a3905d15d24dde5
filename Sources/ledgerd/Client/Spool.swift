import Foundation
import Glibc
import Ledger

/// Sealed entries on a disk, kept until the ledger has them.
///
/// An entry is a file named by its SHA-256, so that keeping it twice is keeping it once. It is sealed to the nodes and
/// signed: whoever reads the directory learns nothing but sizes. Several processes may use one spool at a time; both
/// may send an entry, and the ledger counts it once.
struct Spool: Sendable {
    let directory: String

    private static let suffix = ".entry"

    /// - Throws: `CommandFailure` where the directory cannot be made.
    init(_ directory: String) throws {
        self.directory = directory
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw CommandFailure(
                .wrongUsage, "the spool \(directory) cannot be made: \(error.localizedDescription)",
                remedy: "Name a directory that you may write to.")
        }
    }

    /// Where the genesis is kept for when the ledger is away.
    var genesisPath: String { directory + "/genesis.xml" }

    /// The files, oldest first.
    func files() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0.hasSuffix(Self.suffix) }
            .map { (name: $0, time: facts($0).time) }
            .sorted { ($0.time, $0.name) < ($1.time, $1.name) }
            .map(\.name)
    }

    /// A file that another process has just sent and removed counts as empty and old.
    private func facts(_ name: String) -> (time: Date, bytes: Int) {
        let attributes = try? FileManager.default.attributesOfItem(atPath: "\(directory)/\(name)")
        return (
            attributes?[.modificationDate] as? Date ?? .distantPast,
            (attributes?[.size] as? NSNumber)?.intValue ?? 0
        )
    }

    /// Keeps an entry; it is on the disk when this returns.
    ///
    /// - Throws: `CommandFailure` where the spool is full or the disk refuses.
    func keep(_ submission: [UInt8]) throws {
        let kept = files()
        let bytes = kept.reduce(0) { $0 + facts($1).bytes }
        guard kept.count < Limits.spoolEntries, bytes + submission.count <= Limits.spoolBytes else {
            throw CommandFailure(
                .unreachable, "the spool \(directory) is full: \(kept.count) entries, \(bytes) bytes",
                remedy: "Bring the ledger back, then run `ledgerd append --spool` to send them.")
        }
        try write(submission, as: Digest.sha256(submission).description + Self.suffix)
    }

    /// Keeps a copy of the genesis, replacing an older one.
    func keep(genesis: AuthenticGenesis) throws { try write(genesis.bytes, as: "genesis.xml") }

    /// `nil` where another process has sent it meanwhile, or where the file is not what it was.
    func read(_ name: String) -> [UInt8]? {
        guard let data = FileManager.default.contents(atPath: "\(directory)/\(name)"),
            data.count <= Limits.submissionBytes
        else { return nil }
        let bytes = [UInt8](data)
        return Digest.sha256(bytes).description + Self.suffix == name ? bytes : nil
    }

    func remove(_ name: String) { unlink("\(directory)/\(name)") }

    /// Sets an entry aside that the ledger will never take, for a person to look at.
    func setAside(_ name: String) { rename("\(directory)/\(name)", "\(directory)/\(name).refused") }

    /// A name appears only when all of its bytes are on the disk.
    private func write(_ bytes: [UInt8], as name: String) throws {
        let path = "\(directory)/\(name)"
        let draft = "\(directory)/.\(name).\(getpid())"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("make", draft) }
        defer { unlink(draft) }
        do {
            defer { close(descriptor) }
            var written = 0
            while written < bytes.count {
                let count = bytes.withUnsafeBytes { buffer in
                    Glibc.write(descriptor, buffer.baseAddress?.advanced(by: written), bytes.count - written)
                }
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { throw failure("write", draft) }
                written += count
            }
            guard fsync(descriptor) == 0 else { throw failure("flush", draft) }
        }
        guard rename(draft, path) == 0 else { throw failure("name", path) }
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("open", directory) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failure("flush", directory) }
    }

    /// The last system call failed; reads `errno`.
    private func failure(_ call: String, _ path: String) -> CommandFailure {
        let reason = String(cString: strerror(errno))
        return CommandFailure(
            .unreachable, "\(call) \(path): \(reason)",
            remedy: "The entry is not kept: mend that, then call again.")
    }
}
