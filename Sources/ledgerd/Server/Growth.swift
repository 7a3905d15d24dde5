import Synchronization

/// A size that grows, and those who wait until it has come to where they need it.
final class Growth: Sendable {
    private struct Waiting: Sendable {
        let size: UInt64
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State: Sendable {
        var size: UInt64
        var isClosed = false
        var waiting: [UInt64: Waiting] = [:]
        var nextWaiting: UInt64 = 0
    }

    private let state: Mutex<State>

    init(from size: UInt64 = 0) { state = Mutex(State(size: size)) }

    var size: UInt64 { state.withLock { $0.size } }
    /// Nobody waits any more: the node stops.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    func reach(_ size: UInt64) {
        let due = state.withLock { state in
            let size = max(state.size, size)
            state.size = size
            return Self.remove(upTo: size, &state)
        }
        for waiting in due { waiting.continuation.resume() }
    }

    /// Begins again: what it is the size of was emptied, and grows anew.
    func restart() { state.withLock { $0.size = 0 } }

    /// Lets everyone go, now and from now on.
    func close() {
        let due = state.withLock { state in
            state.isClosed = true
            return Self.remove(upTo: .max, &state)
        }
        for waiting in due { waiting.continuation.resume() }
    }

    /// Waits until the size is at least `size`, or the time is over, or nobody waits any more.
    ///
    /// - Returns: Whether it has come to `size`.
    @discardableResult
    func reached(_ size: UInt64, within limit: Duration) async -> Bool {
        if self.size >= size { return true }
        guard limit > .zero else { return false }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(for: size) }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
        return self.size >= size
    }

    private func wait(for size: UInt64) async {
        let number = state.withLock { state in
            defer { state.nextWaiting += 1 }
            return state.nextWaiting
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    // Asked with the lock held: whoever cancels later finds the one who waits.
                    guard state.size < size, !state.isClosed, !Task.isCancelled else { return false }
                    state.waiting[number] = Waiting(size: size, continuation: continuation)
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: number) }?.continuation.resume()
        }
    }

    private static func remove(upTo size: UInt64, _ state: inout State) -> [Waiting] {
        let due = state.waiting.filter { $0.value.size <= size }
        for number in due.keys { state.waiting[number] = nil }
        return Array(due.values)
    }
}
