internal import Glibc
internal import Synchronization

/// Zeros written ahead of what a file holds. A flush of bytes that lie in the file already need not write how long it is
/// and where its blocks are, which costs as much again.
///
/// Safe to share: one writer, that of the file.
final class Reserve: Sendable {
    private static let stepBytes = 256 << 10
    private let descriptor: Int32
    private let end: Mutex<Int>

    /// - Parameter descriptor: of a file that stays open as long as this lives.
    init(of descriptor: Int32) {
        self.descriptor = descriptor
        end = Mutex(max(Int(lseek(descriptor, 0, SEEK_END)), 0))
    }

    /// Sees to it that the file reaches beyond `size`, by some steps. Where there is no room for more, whoever writes
    /// the file itself finds out.
    ///
    /// - Precondition: nothing beyond the end of the file is being written.
    func grow(past size: Int, limit: Int = .max) {
        end.withLock { end in
            let target = min((size / Self.stepBytes + 2) * Self.stepBytes, limit)
            guard end < size + Self.stepBytes / 2, end < target else { return }
            let zeros = [UInt8](repeating: 0, count: min(target - end, 4 * Self.stepBytes))
            while end < target {
                let count = unsafe zeros.withUnsafeBytes {
                    unsafe pwrite(descriptor, $0.baseAddress, min($0.count, target - end), end)
                }
                guard count > 0 else { return }
                end += count
            }
        }
    }
}
