/// Operands: literals, parentheses, calls, aggregations; and the modifiers behind them.
extension Parser {
    mutating func readPostfix(depth: Int) throws(Failure) -> (Expression, height: Int) {
        var (expression, height) = try readOperand(depth: depth)
        while true {
            switch current.kind {
            case .leftBracket: expression = try readRange(of: expression)
            case .keyword(.offset):
                // `offset` is a metric name too, but never right behind an operand.
                let keyword = advance()
                let offset = try readOffset()
                expression = try modified(
                    expression, "offset modifier", already: "offset may not be set multiple times",
                    at: keyword.position
                ) { selector in
                    guard selector.offsetMilliseconds == 0 else { return false }
                    selector.offsetMilliseconds = offset
                    return true
                }
            case .at:
                let at = advance()
                let moment = try readMoment()
                expression = try modified(
                    expression, "@ modifier", already: "@ <timestamp> may not be set multiple times",
                    at: at.position
                ) { selector in
                    guard selector.moment == nil else { return false }
                    selector.moment = moment
                    return true
                }
            default: return (expression, height)
            }
            height = max(height, 1)
        }
    }

    private mutating func readOperand(depth: Int) throws(Failure) -> (Expression, height: Int) {
        let token = current
        let place = TextRange(token.position, token.end)
        switch token.kind {
        case .number:
            _ = advance()
            return (.number(NumberLiteral(value: try number(token), isDuration: false, place: place)), 1)
        case .duration:
            _ = advance()
            let value = Double(try duration(token)) / 1000
            return (.number(NumberLiteral(value: value, isDuration: true, place: place)), 1)
        case .string: return (.string(StringLiteral(value: try readString(), place: place)), 1)
        case .leftParenthesis:
            _ = advance()
            let (inner, height) = try readExpression(minimum: 1, depth: depth)
            let close = current
            guard skip(.rightParenthesis) else { throw unexpected() }
            return (.parenthesized(inner, TextRange(token.position, close.end)), height + 1)
        case .aggregator(let aggregator):
            switch following.kind {
            case .leftParenthesis, .keyword(.by), .keyword(.without):
                return try readAggregation(aggregator, depth: depth)
            default: return (.selector(try readSelector()), 1)
            }
        case .identifier:
            if case .leftParenthesis = following.kind { return try readCall(depth: depth) }
            return (.selector(try readSelector()), 1)
        default: return (.selector(try readSelector()), 1)
        }
    }

    // MARK: Calls and aggregations

    private mutating func readCall(depth: Int) throws(Failure) -> (Expression, height: Int) {
        let name = advance()
        guard let function = Function(rawValue: name.text) else {
            throw Failure(
                Function.notYetSupported.contains(name.text)
                    ? "function \(name.text.goQuoted) is not supported yet"
                    : "unknown function with name \(name.text.goQuoted)", at: name.position)
        }
        let (arguments, height, end) = try readArguments(depth: depth)
        let call = Call(function: function, arguments: arguments, place: TextRange(name.position, end))
        return (.call(call), height + 1)
    }

    private mutating func readAggregation(
        _ aggregator: Aggregator, depth: Int
    ) throws(Failure) -> (Expression, height: Int) {
        let name = advance()
        guard aggregator.isSupported else {
            throw Failure("aggregation \(name.text.goQuoted) is not supported yet", at: name.position)
        }
        var grouping = try readGrouping()
        let (arguments, height, end) = try readArguments(depth: depth)
        if grouping == nil { grouping = try readGrouping() }
        guard let argument = arguments.first else {
            throw Failure("no arguments for aggregate expression provided", at: name.position)
        }
        guard arguments.count == 1 else {
            throw Failure(
                "wrong number of arguments for aggregate expression provided, expected 1, got \(arguments.count)",
                at: name.position)
        }
        let aggregation = Aggregation(
            operator: aggregator, isWithout: grouping?.isWithout ?? false, labels: grouping?.labels ?? [],
            argument: argument, place: TextRange(name.position, end))
        return (.aggregation(aggregation), height + 1)
    }

    private mutating func readGrouping() throws(Failure) -> (isWithout: Bool, labels: [String])? {
        switch current.kind {
        case .keyword(.by):
            _ = advance()
            return (false, try readGroupingLabels())
        case .keyword(.without):
            _ = advance()
            return (true, try readGroupingLabels())
        default: return nil
        }
    }

    private mutating func readArguments(
        depth: Int
    ) throws(Failure) -> (arguments: [Expression], height: Int, end: Int) {
        guard skip(.leftParenthesis) else { throw unexpected(in: "aggregation") }
        var arguments: [Expression] = []
        var height = 0
        while true {
            let close = current
            if skip(.rightParenthesis) { return (arguments, height, close.end) }
            let (argument, argumentHeight) = try readExpression(minimum: 1, depth: depth)
            arguments.append(argument)
            height = max(height, argumentHeight)
            let comma = current
            if skip(.comma) {
                if case .rightParenthesis = current.kind {
                    throw Failure("trailing commas not allowed in function call args", at: comma.position)
                }
                continue
            }
            guard case .rightParenthesis = current.kind else { throw unexpected() }
        }
    }

    // MARK: Modifiers

    private mutating func readRange(of expression: Expression) throws(Failure) -> Expression {
        let open = advance()
        let milliseconds = try readDuration(in: "subquery or range")
        if case .colon = current.kind {
            throw Failure("subqueries are not supported yet", at: current.position)
        }
        guard case .rightBracket = current.kind else {
            throw unexpected(in: "subquery or range", expected: "\":\" or \"]\"")
        }
        let close = advance()
        guard milliseconds > 0 else { throw Failure("duration must be greater than 0", at: open.end) }
        guard case .selector(let selector) = expression else {
            throw Failure("ranges only allowed for vector selectors", at: open.position)
        }
        guard selector.offsetMilliseconds == 0 else {
            throw Failure("no offset modifiers allowed before range", at: open.position)
        }
        guard selector.moment == nil else {
            throw Failure("no @ modifiers allowed before range", at: open.position)
        }
        let place = TextRange(selector.place.start, close.end)
        return .range(RangeSelector(selector: selector, rangeMilliseconds: milliseconds, place: place))
    }

    private mutating func readOffset() throws(Failure) -> Int64 {
        let negative = skip(.binary(.subtract))
        if !negative { _ = skip(.binary(.add)) }
        let milliseconds = try readDuration(in: "offset")
        return negative ? -milliseconds : milliseconds
    }

    /// A duration, or a number of seconds.
    private mutating func readDuration(in context: String) throws(Failure) -> Int64 {
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
        default: throw unexpected(in: context, expected: "number or duration")
        }
    }

    private mutating func readMoment() throws(Failure) -> VectorSelector.Moment {
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
        guard case .number = token.kind else { throw unexpected(in: "@", expected: "timestamp") }
        _ = advance()
        let seconds = try number(token) * (negative ? -1 : 1)
        let milliseconds = (seconds * 1000).rounded()
        guard milliseconds.magnitude <= Double(QueryLimits.durationMilliseconds) else {
            throw Failure("timestamp out of bounds for @ modifier: \(token.text)", at: token.position)
        }
        return .time(Int64(milliseconds))
    }

    private func modified(
        _ expression: Expression, _ name: String, already: String, at offset: Int,
        _ change: (inout VectorSelector) -> Bool
    ) throws(Failure) -> Expression {
        switch expression {
        case .selector(var selector):
            guard change(&selector) else { throw Failure(already, at: offset) }
            return .selector(selector)
        case .range(var range):
            guard change(&range.selector) else { throw Failure(already, at: offset) }
            return .range(range)
        case .number, .string, .parenthesized, .unary, .binary, .aggregation, .call:
            throw Failure(
                "\(name) must be preceded by an instant vector selector or range vector selector or a subquery",
                at: expression.place.start)
        }
    }

    // MARK: Literals

    private func number(_ token: Token) throws(Failure) -> Double {
        guard let value = NumberText.value(token.text) else {
            throw Failure("error parsing number: \(token.text.goQuoted)", at: token.position)
        }
        return value
    }

    private func duration(_ token: Token) throws(Failure) -> Int64 {
        guard let value = DurationText.milliseconds(token.text) else {
            throw Failure("not a valid duration string: \(token.text.goQuoted)", at: token.position)
        }
        return value
    }
}
