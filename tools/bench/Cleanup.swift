import Dispatch
import Foundation
import Synchronization

/// What must not outlive the benchmark, however it ends: child processes, and what they wrote.
final class Cleanup: Sendable {
    static let shared = Cleanup()

    private struct Left: Sendable {
        var children: Set<Int32> = []
        var directories: Set<String> = []
    }

    private let left = Mutex(Left())

    /// Ends everything on SIGINT and SIGTERM, then this process.
    ///
    /// - Returns: What watches, as long as it is kept.
    func watchSignals() -> [any DispatchSourceSignal] {
        [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                self.run()
                exit(128 + number)
            }
            source.activate()
            return source
        }
    }

    func add(child: Int32) { left.withLock { _ = $0.children.insert(child) } }
    func remove(child: Int32) { left.withLock { _ = $0.children.remove(child) } }
    func add(directory: String) { left.withLock { _ = $0.directories.insert(directory) } }

    func remove(directory: String) {
        left.withLock { _ = $0.directories.remove(directory) }
        try? FileManager.default.removeItem(atPath: directory)
    }

    private func run() {
        let left = left.withLock { $0 }
        // At once: what they have on the disk is removed next.
        for child in left.children { kill(child, SIGKILL) }
        for directory in left.directories { try? FileManager.default.removeItem(atPath: directory) }
    }
}
