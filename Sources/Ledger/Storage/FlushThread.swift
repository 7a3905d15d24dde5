internal import Dispatch

/// Flushes the key slots beside the log's own commit, so that the two waits are one.
///
/// `begin` and `finish` are called in turn by the one writer.
final class FlushThread: Sendable {
    private let slots: KeySlots
    private let queue = DispatchQueue(label: "key slots", qos: .userInitiated)
    private let outcome = Outcome()

    init(_ slots: KeySlots) { self.slots = slots }

    func begin() {
        queue.async { [slots, outcome] in
            do throws(StoreError) {
                try slots.flush()
                outcome.set(nil)
            } catch {
                outcome.set(error)
            }
        }
    }

    /// Waits for the flush that `begin` started.
    func finish() throws(StoreError) {
        // The queue is serial: this returns after the flush.
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
