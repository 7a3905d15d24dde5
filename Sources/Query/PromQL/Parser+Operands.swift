/// Operands: literals, parentheses, calls, aggregations; and the modifiers behind them.
extension Parser {
    mutating func readPostfix(depth: Int) throws(Failure) -> (Expression, height: Int) {
        var (expression, height) = try readOperand(depth: depth)
        while true {
            switch current.kind {
            case .leftBracket:
                expression = try readRange(of: expression)
                // A subquery is a node above its expression, a range selector is a leaf.
                if case .subquery = expression { height = try Self.deeper(height, at: current.position) }
            case .keyword(.offset):
                // `offset` is a metric name too, but never right behind an operand.
                let keyword = advance()
                let offset = try readOffset()
                expression = try modified(
                    expression, "offset modifier", already: "offset may not be set multiple times",
                    at: keyword.position
                ) { shift in
                    guard shift.offsetMilliseconds == 0 else { return false }
                    shift.offsetMilliseconds = offset
                    return true
                }
            case .at:
                let at = advance()
                let moment = try readMoment()
                expression = try modified(
                    expression, "@ modifier", already: "@ <timestamp> may not be set multiple times",
                    at: at.position
                ) { shift in
                    guard shift.moment == nil else { return false }
                    shift.moment = moment
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
        guard let function = Function.named(name.text) else {
            throw Failure("unknown function with name \(name.text.goQuoted)", at: name.position)
        }
        let (arguments, height, end) = try readArguments(depth: depth)
        let call = Call(function: function, arguments: arguments, place: TextRange(name.position, end))
        return (.call(call), height + 1)
    }

    private mutating func readAggregation(
        _ aggregator: Aggregator, depth: Int
    ) throws(Failure) -> (Expression, height: Int) {
        let name = advance()
        var grouping = try readGrouping()
        openAggregations += 1
        let (arguments, height, end) = try readArguments(depth: depth)
        openAggregations -= 1
        if grouping == nil { grouping = try readGrouping() }
        guard let argument = arguments.last else {
            throw Failure("no arguments for aggregate expression provided", at: name.position)
        }
        let expected = aggregator.parameterType == nil ? 1 : 2
        guard arguments.count == expected else {
            throw Failure(
                "wrong number of arguments for aggregate expression provided, expected \(expected), got "
                    + "\(arguments.count)", at: name.position)
        }
        let aggregation = Aggregation(
            operator: aggregator, isWithout: grouping?.isWithout ?? false, labels: grouping?.labels ?? [],
            parameter: expected == 2 ? arguments[0] : nil, argument: argument,
            place: TextRange(name.position, end))
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

    // MARK: Literals

    func number(_ token: Token) throws(Failure) -> Double {
        guard let value = NumberText.value(token.text) else {
            throw Failure("error parsing number: \(token.text.goQuoted)", at: token.position)
        }
        return value
    }

    func duration(_ token: Token) throws(Failure) -> Int64 {
        guard let value = DurationText.milliseconds(token.text) else {
            throw Failure("not a valid duration string: \(token.text.goQuoted)", at: token.position)
        }
        return value
    }
}
