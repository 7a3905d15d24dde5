internal import Dispatch

/// Waits for the disk beside whoever waits for it elsewhere, so that the two waits are one.
///
/// `begin` and `finish` are called in turn by the one writer.
final class FlushThread: Sendable {
    private let queue: DispatchQueue
    private let outcome = Outcome()

    init(_ name: String) { queue = DispatchQueue(label: name, qos: .userInitiated) }

    func begin(_ body: @escaping @Sendable () throws(StoreError) -> Void) {
        queue.async { [outcome] in
            do throws(StoreError) {
                try body()
                outcome.set(nil)
            } catch {
                outcome.set(error)
            }
        }
    }

    /// Waits for what `begin` started.
    func finish() throws(StoreError) {
        // The queue is serial: this returns after it.
        queue.sync {}
        if let error = outcome.take() { throw error }
    }

    /// Safe to share: written on the queue, read by the writer after it has waited for the queue.
    private final class Outcome: @unchecked Sendable {
        private var error: StoreError?
        func set(_ error: StoreError?) { self.error = error }
        func take() -> StoreError? {
            defer { error = nil }
            return error
        }
    }
}
