import Ledger
import Query
import Replication

extension Node {
    /// How many entries a question knows that is asked as of a moment; `nil` for all, whatever comes.
    ///
    /// Waits until the query store has followed the log so far: such an answer never changes again, but for what is
    /// erased later.
    func size(
        asOf parameters: QueryParameters, by deadline: ContinuousClock.Instant
    ) async throws(QueryError) -> UInt64? {
        guard let moment = try parameters.moment() else { return nil }
        let published = driver.published
        let size: UInt64
        switch moment {
        case .entries(let count):
            guard count <= published.size else {
                throw QueryError(
                    .badData, "invalid parameter \"as_of\": the log has \(published.size) entries")
            }
            size = count
        case .time(let time):
            do throws(StoreError) {
                size = try log.size(at: time, through: published.header.height)
            } catch {
                throw QueryError(.internal, "log: \(error)")
            }
        }
        guard await follower.followed.reached(size, within: deadline - .now) else {
            throw QueryError(
                .timeout, "query timed out before this node's queries knew entry \(size - 1)")
        }
        return size
    }
}
