import NIOCore
import Synchronization
import TestSupport

/// One direction between two nodes, whoever dialled: every byte from the one to the other passes here.
final class Link: Sendable {
    private struct State: Sendable {
        var condition = LinkCondition.sound
        var random: SeededGenerator
        /// Told of each change.
        var watchers: [ObjectIdentifier: @Sendable () -> Void] = [:]
    }

    private static let retransmission = TimeAmount.milliseconds(200)
    /// 200 ms doubled eight times is 51 s: longer than any connection between nodes may be silent.
    private static let doublings = 8

    private let state: Mutex<State>

    init(seed: UInt64) { state = Mutex(State(random: SeededGenerator(seed: seed))) }

    var condition: LinkCondition { state.withLock { $0.condition } }

    func set(_ condition: LinkCondition) {
        let watchers = state.withLock { state in
            state.condition = condition
            return Array(state.watchers.values)
        }
        for watcher in watchers { watcher() }
    }

    func watch(_ key: ObjectIdentifier, _ watcher: @escaping @Sendable () -> Void) {
        state.withLock { $0.watchers[key] = watcher }
    }

    func forget(_ key: ObjectIdentifier) { state.withLock { $0.watchers[key] = nil } }

    /// When a chunk that leaves now arrives.
    ///
    /// - Parameter previous: the arrival of the chunk before it, which it does not overtake.
    func arrival(now: NIODeadline, after previous: NIODeadline) -> NIODeadline {
        state.withLock { state in
            var arrival = now
            if let range = state.condition.delayMilliseconds {
                arrival = arrival + .milliseconds(.random(in: range, using: &state.random))
            }
            // Counted from its own sending: a sender mends several losses at a time.
            var pause = Self.retransmission
            for _ in 0..<Self.doublings {
                guard state.condition.loss > 0,
                    Double.random(in: 0..<1, using: &state.random) < state.condition.loss
                else { break }
                arrival = arrival + pause
                pause = pause * 2
            }
            return max(arrival, previous)
        }
    }
}
