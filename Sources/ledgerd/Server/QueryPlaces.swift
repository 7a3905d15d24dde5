import Dispatch
import Query

/// Where queries are evaluated: a few threads of their own, since a query may wait for the disk and compute for long.
/// What does not find a place waits in line; the line is bounded by the connections there can be.
final class QueryPlaces: Sendable {
    private let queue: DispatchQueue
    private let places: DispatchSemaphore

    init(count: Int) {
        queue = DispatchQueue(label: "queries", qos: .userInitiated, attributes: .concurrent)
        places = DispatchSemaphore(value: count)
    }

    func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(QueryError) -> Value
    ) async -> Result<Value, QueryError> {
        await withCheckedContinuation { continuation in
            queue.async { [places] in
                places.wait()
                defer { places.signal() }
                do throws(QueryError) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
    }
}
