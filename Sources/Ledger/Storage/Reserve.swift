internal import Glibc
internal import Synchronization

/// Zeros written ahead of what a file holds. A flush of bytes that lie in the file already need not write how long it is
/// and where its blocks are, which costs as much again.
///
/// Nothing but what lies behind the end of the file is ever written: its length is asked for each time, since whoever
/// writes the file may have made it longer.
final class Reserve: Sendable {
    private static let stepBytes = 256 << 10
    private let descriptor: Int32
    /// How long the file was when it was last looked at: it never becomes shorter.
    private let known = Atomic(0)

    /// - Parameter descriptor: of a file that stays open as long as this lives, and that one thread at a time writes.
    init(of descriptor: Int32) { self.descriptor = descriptor }

    /// Sees to it that the file reaches beyond `size`, by some steps. Where there is no room for more, whoever writes
    /// the file itself finds out.
    ///
    /// - Precondition: nobody writes the file meanwhile.
    func grow(past size: Int, limit: Int = .max) {
        guard known.load(ordering: .relaxed) < size + Self.stepBytes / 2 else { return }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return }
        var end = Int(status.st_size)
        let target = min((size / Self.stepBytes + 2) * Self.stepBytes, limit)
        if end < size + Self.stepBytes / 2, end < target {
            let zeros = [UInt8](repeating: 0, count: min(target - end, 4 * Self.stepBytes))
            while end < target {
                let count = unsafe zeros.withUnsafeBytes {
                    unsafe pwrite(descriptor, $0.baseAddress, min($0.count, target - end), end)
                }
                guard count > 0 else { break }
                end += count
            }
        }
        known.store(end, ordering: .relaxed)
    }
}
