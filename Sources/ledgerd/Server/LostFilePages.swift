import Foundation
import Glibc

/// Ends the process with words where a page of a mapped file is not there: a file of the store that is shorter than it
/// was, or a disk that does not give it back. LMDB reads its file as memory, so the kernel tells by a signal.
enum LostFilePages {
    /// Written by the handler, which may not allocate.
    ///
    /// Safe to share: set once, before the signal can come, and never freed.
    private nonisolated(unsafe) static var message: UnsafeBufferPointer<UInt8>?

    /// - Parameter directory: the node's.
    static func explain(in directory: String) {
        let text = """
            error: a file under \(directory) is shorter than it was, or its disk does not give it back (SIGBUS)
            Do not delete anything: run `ledgerd verify --directory \(directory)`; docs/operating.md, “Damage”, goes on.

            """
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.utf8.count)
        _ = buffer.initialize(from: text.utf8)
        message = UnsafeBufferPointer(buffer)
        signal(SIGBUS) { _ in
            if let message = LostFilePages.message {
                write(STDERR_FILENO, message.baseAddress, message.count)
            }
            _exit(CommandFailure.Status.unreachable.rawValue)
        }
    }
}
