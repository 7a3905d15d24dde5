import Synchronization

/// How many streams of events there may be at one time.
final class StreamPlaces: Sendable {
    private let limit: Int
    private let taken = Mutex(0)

    init(limit: Int) { self.limit = limit }

    var count: Int { taken.withLock { $0 } }

    /// - Returns: `nil` where all are taken.
    func take() -> StreamPlace? {
        let isFree = taken.withLock { taken in
            guard taken < limit else { return false }
            taken += 1
            return true
        }
        return isFree ? StreamPlace(self) : nil
    }

    fileprivate func giveBack() { taken.withLock { $0 -= 1 } }
}

/// A place that is given back when nobody holds it any more: also by an answer whose body is never asked for.
final class StreamPlace: Sendable {
    private let places: StreamPlaces

    fileprivate init(_ places: StreamPlaces) { self.places = places }

    deinit { places.giveBack() }
}
