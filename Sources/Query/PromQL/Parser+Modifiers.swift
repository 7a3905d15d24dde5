/// What stands behind an operand: ranges, subqueries, `offset` and `@`.
extension Parser {
    mutating func readRange(of expression: Expression) throws(Failure) -> Expression {
        let open = advance()
        let milliseconds = try readDuration(in: "subquery or range")
        if case .colon = current.kind {
            return try readSubquery(of: expression, rangeMilliseconds: milliseconds, from: open)
        }
        guard case .rightBracket = current.kind else {
            throw unexpected(in: "subquery or range", expected: "\":\" or \"]\"")
        }
        let close = advance()
        guard milliseconds > 0 else { throw Failure("duration must be greater than 0", at: open.end) }
        guard case .selector(let selector) = expression else {
            throw Failure("ranges only allowed for vector selectors", at: open.position)
        }
        guard selector.shift.offsetMilliseconds == 0 else {
            throw Failure("no offset modifiers allowed before range", at: open.position)
        }
        guard selector.shift.moment == nil else {
            throw Failure("no @ modifiers allowed before range", at: open.position)
        }
        let place = TextRange(selector.place.start, close.end)
        return .range(RangeSelector(selector: selector, rangeMilliseconds: milliseconds, place: place))
    }

    mutating func readOffset() throws(Failure) -> Int64 {
        let negative = skip(.binary(.subtract))
        if !negative { _ = skip(.binary(.add)) }
        let milliseconds = try readDuration(in: "offset")
        return negative ? -milliseconds : milliseconds
    }

    /// `1m]` or `]`, behind the colon.
    private mutating func readSubquery(
        of expression: Expression, rangeMilliseconds: Int64, from open: Token
    ) throws(Failure) -> Expression {
        _ = advance()
        var step: Int64?
        let stepToken = current
        if case .rightBracket = current.kind {
        } else {
            step = try readDuration(in: "subquery selector", alternatives: " or \"]\"")
        }
        let close = current
        guard skip(.rightBracket) else {
            throw unexpected(in: "subquery selector", expected: "\"]\"")
        }
        guard rangeMilliseconds > 0 else { throw Failure("duration must be greater than 0", at: open.end) }
        if let step, step <= 0 {
            throw Failure("duration must be greater than 0", at: stepToken.position)
        }
        return .subquery(
            Subquery(
                inner: expression, rangeMilliseconds: rangeMilliseconds, stepMilliseconds: step,
                place: TextRange(expression.place.start, close.end)))
    }

    /// A duration, or a number of seconds.
    private mutating func readDuration(
        in context: String, alternatives: String = ""
    ) throws(Failure) -> Int64 {
        let token = current
        switch token.kind {
        case .duration:
            _ = advance()
            return try duration(token)
        case .number:
            _ = advance()
            let milliseconds = (try number(token) * 1000).rounded()
            guard milliseconds >= 0, milliseconds <= Double(QueryLimits.durationMilliseconds) else {
                throw Failure("duration out of range", at: token.position)
            }
            return Int64(milliseconds)
        default: throw unexpected(in: context, expected: "number or duration" + alternatives)
        }
    }

    mutating func readMoment() throws(Failure) -> TimeShift.Moment {
        switch current.kind {
        case .keyword(.start), .keyword(.end):
            let isStart = current.kind == .keyword(.start)
            _ = advance()
            guard skip(.leftParenthesis), skip(.rightParenthesis) else {
                throw unexpected(in: "@", expected: "timestamp")
            }
            return isStart ? .start : .end
        default: break
        }
        let negative = skip(.binary(.subtract))
        if !negative { _ = skip(.binary(.add)) }
        let token = current
        let magnitude: Double
        switch token.kind {
        case .number: magnitude = try number(token)
        case .duration: magnitude = Double(try duration(token)) / 1000
        default: throw unexpected(in: "@", expected: "timestamp")
        }
        _ = advance()
        let seconds = magnitude * (negative ? -1 : 1)
        let milliseconds = (seconds * 1000).rounded()
        guard milliseconds.magnitude < QueryLimits.momentMilliseconds else {
            throw Failure("timestamp out of bounds for @ modifier: \(token.text)", at: token.position)
        }
        return .time(Int64(milliseconds))
    }

    func modified(
        _ expression: Expression, _ name: String, already: String, at offset: Int,
        _ change: (inout TimeShift) -> Bool
    ) throws(Failure) -> Expression {
        switch expression {
        case .selector(var selector):
            guard change(&selector.shift) else { throw Failure(already, at: offset) }
            return .selector(selector)
        case .range(var range):
            guard change(&range.selector.shift) else { throw Failure(already, at: offset) }
            return .range(range)
        case .subquery(var subquery):
            guard change(&subquery.shift) else { throw Failure(already, at: offset) }
            return .subquery(subquery)
        case .number, .string, .parenthesized, .unary, .binary, .aggregation, .call:
            throw Failure(
                "\(name) must be preceded by an instant vector selector or range vector selector or a subquery",
                at: expression.place.start)
        }
    }
}
