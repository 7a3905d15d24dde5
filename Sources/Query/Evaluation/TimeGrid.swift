internal import Ledger

/// The moments that an expression is evaluated at: ascending, evenly spaced, in milliseconds since 1970.
///
/// With a step of 0 all moments are the same, as those of a selector with `@` are.
struct TimeGrid: Hashable, Sendable {
    let start: Int64
    let stepMilliseconds: Int64
    let count: Int

    /// One moment.
    init(at time: Int64) { self.init(start: time, stepMilliseconds: 0, count: 1) }

    init(start: Int64, stepMilliseconds: Int64, count: Int) {
        self.start = start
        self.stepMilliseconds = stepMilliseconds
        self.count = count
    }

    /// Far below 2⁶³: timestamps and durations are limited.
    subscript(index: Int) -> Int64 { start + Int64(index) * stepMilliseconds }

    var indices: Range<Int> { 0..<count }
    var last: Int64 { self[max(0, count - 1)] }
    var isOneMoment: Bool { count <= 1 || stepMilliseconds == 0 }

    /// Where a selector or subquery with these modifiers looks.
    ///
    /// - Precondition: `shift.moment` is no `start` or `end` any more (`TimeShift.resolved(in:)`).
    func shifted(by shift: TimeShift) -> TimeGrid {
        if case .time(let fixed) = shift.moment {
            return TimeGrid(start: fixed - shift.offsetMilliseconds, stepMilliseconds: 0, count: count)
        }
        return TimeGrid(
            start: start - shift.offsetMilliseconds, stepMilliseconds: stepMilliseconds, count: count)
    }

    /// The steps of a subquery whose windows end at these moments: the multiples of its step in all of the windows,
    /// their left edges excluded. `nil` for more than `limit`.
    func subgrid(rangeMilliseconds: Int64, stepMilliseconds step: Int64, limit: Int) -> TimeGrid? {
        let after = start - rangeMilliseconds
        var first = after / step * step
        if first <= after { first += step }
        guard first <= last else { return TimeGrid(start: first, stepMilliseconds: step, count: 0) }
        let steps = (last - first) / step + 1
        guard steps <= Int64(limit) else { return nil }
        return TimeGrid(start: first, stepMilliseconds: step, count: Int(steps))
    }
}

extension TimeShift {
    /// With `start()` and `end()` of the question as times.
    func resolved(in context: QueryContext) -> TimeShift {
        var shift = self
        switch moment {
        case .start: shift.moment = .time(context.grid.start)
        case .end: shift.moment = .time(context.end)
        case .time, nil: break
        }
        return shift
    }
}

extension TimeGrid {
    /// The moments of a range query. The messages are Prometheus's.
    init(from start: Timestamp, through end: Timestamp, stepMilliseconds: Int64) throws(QueryError) {
        guard end >= start else {
            throw QueryError(
                .badData, "invalid parameter \"end\": end timestamp must not be before start time")
        }
        guard stepMilliseconds > 0 else {
            throw QueryError(
                .badData,
                "invalid parameter \"step\": zero or negative query resolution step widths are not accepted. "
                    + "Try a positive integer")
        }
        let steps = (end.milliseconds - start.milliseconds) / stepMilliseconds
        guard steps < QueryLimits.steps else {
            throw QueryError(
                .badData,
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution "
                    + "(?step=XX)")
        }
        self.init(start: start.milliseconds, stepMilliseconds: stepMilliseconds, count: Int(steps) + 1)
    }
}
