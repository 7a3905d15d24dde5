import NIOCore
import NIOPosix

/// Waiting for time itself: faults last as long as their schedule says, and load comes at its rate. Tests that wait for
/// an event wait for the event.
enum RealTime {
    static func pause(_ duration: Duration) async {
        let (seconds, attoseconds) = duration.components
        let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        // Fails when the process ends, and then nothing is left to wait for.
        try? await loop.scheduleTask(in: .nanoseconds(max(0, nanoseconds))) {}.futureResult.get()
    }

    /// Asks again and again until something holds.
    ///
    /// - Returns: Whether it did in time.
    static func wait(
        _ limit: Duration, every pause: Duration = .milliseconds(200), until holds: () async -> Bool
    ) async -> Bool {
        let end = ContinuousClock.now + limit
        while !(await holds()) {
            guard ContinuousClock.now < end else { return false }
            await Self.pause(pause)
        }
        return true
    }
}

extension Duration {
    var inSeconds: Double { self / .seconds(1) }
    /// `12.345 s`
    var text: String {
        (inSeconds * 1000).rounded().isFinite ? "\((inSeconds * 1000).rounded() / 1000) s" : "-"
    }
}
