/// Reads PromQL, by the grammar and precedence of Prometheus 3 (`promql/parser/generated_parser.y`).
///
/// Operators, from loose to tight: `or`; `and unless`; comparisons; `+ -`; `* / % atan2` and the signs; `^`, which
/// alone binds to the right. So `-1 ^ 2` is `-(1 ^ 2)`.
public struct Parser {
    private let text: String
    private let tokens: [Token]
    private var position = 0
    /// How many aggregations are open, in which Prometheus says that it expected nothing better.
    var openAggregations = 0

    /// Why and where (a byte offset, if at one place) the text is no expression.
    struct Failure: Error {
        let reason: String
        let offset: Int?

        init(_ reason: String, at offset: Int?) {
            self.reason = reason
            self.offset = offset
        }
    }

    /// Reads an expression and checks its types.
    public static func expression(_ text: String) throws(QueryError) -> Expression {
        try run(text) { parser throws(Failure) in
            if case .end = parser.current.kind { throw Failure("no expression found in input", at: nil) }
            let (expression, _) = try parser.readExpression(minimum: 1, depth: 0)
            guard case .end = parser.current.kind else { throw parser.unexpected() }
            _ = try TypeCheck.type(of: expression)
            return expression
        }
    }

    /// Reads what `match[]` holds: one vector selector without modifiers.
    public static func metricSelector(_ text: String) throws(QueryError) -> [LabelMatcher] {
        try run(text) { parser throws(Failure) in
            let selector = try parser.readSelector()
            guard case .end = parser.current.kind else { throw parser.unexpected() }
            return selector.matchers
        }
    }

    private static func run<Result>(
        _ text: String, _ body: (inout Parser) throws(Failure) -> Result
    ) throws(QueryError) -> Result {
        guard text.utf8.count <= QueryLimits.expressionBytes else {
            throw QueryError(
                .badData,
                "expression of \(text.utf8.count) bytes is over the limit of "
                    + "\(QueryLimits.expressionBytes)")
        }
        var parser = Parser(text: text, tokens: Lexer.tokens(of: text))
        do {
            return try body(&parser)
        } catch {
            throw .parse(error.reason, at: error.offset, in: text)
        }
    }

    private init(text: String, tokens: [Token]) {
        self.text = text
        self.tokens = tokens
    }

    // MARK: Tokens

    /// The last token, `end` or a failure, stays current for ever.
    var current: Token {
        position < tokens.count ? tokens[position] : Token(kind: .end, text: "", position: text.utf8.count)
    }

    var following: Token {
        position + 1 < tokens.count
            ? tokens[position + 1] : Token(kind: .end, text: "", position: text.utf8.count)
    }

    mutating func advance() -> Token {
        let token = current
        position = min(position + 1, max(0, tokens.count - 1))
        return token
    }

    mutating func skip(_ kind: Token.Kind) -> Bool {
        guard current.kind == kind else { return false }
        _ = advance()
        return true
    }

    func unexpected(in context: String = "", expected: String = "") -> Failure {
        if case .failure(let reason) = current.kind { return Failure(reason, at: current.position) }
        var message = "unexpected \(current.summary)"
        if !context.isEmpty {
            message += " in \(context)"
        } else if openAggregations > 0 {
            message += " in aggregation"
        }
        if !expected.isEmpty { message += ", expected \(expected)" }
        return Failure(message, at: current.position)
    }

    static func deeper(_ depth: Int, at offset: Int) throws(Failure) -> Int {
        guard depth < QueryLimits.expressionDepth else {
            throw Failure("expression is nested deeper than \(QueryLimits.expressionDepth)", at: offset)
        }
        return depth + 1
    }

    // MARK: Operators

    /// Reads operands joined by operators of at least `minimum` precedence. `depth` counts the nodes above.
    /// Returns the height of what was read as well: a chain grows to the left without recursion here, but whoever
    /// walks the tree later recurses through it.
    mutating func readExpression(minimum: Int, depth: Int) throws(Failure) -> (Expression, height: Int) {
        let inner = try Self.deeper(depth, at: current.position)
        var (left, height) = try readUnary(depth: inner)
        while case .binary(let binary) = current.kind, binary.precedence >= minimum {
            let place = TextRange(current.position, current.end)
            _ = advance()
            let (returnsBool, matching) = try readBinaryModifiers(of: binary, at: place)
            let tighter = binary == .power ? binary.precedence : binary.precedence + 1
            let (right, rightHeight) = try readExpression(minimum: tighter, depth: inner)
            height = try Self.deeper(max(height, rightHeight), at: place.start)
            left = .binary(
                BinaryOperation(
                    operator: binary, returnsBool: returnsBool, matching: matching, left: left, right: right,
                    operatorPlace: place))
        }
        return (left, height)
    }

    private mutating func readUnary(depth: Int) throws(Failure) -> (Expression, height: Int) {
        let negation: Bool
        switch current.kind {
        case .binary(.subtract): negation = true
        case .binary(.add): negation = false
        default: return try readPostfix(depth: depth)
        }
        let sign = advance()
        let (operand, height) = try readExpression(minimum: BinaryOperator.power.precedence, depth: depth)
        let place = TextRange(sign.position, operand.place.end)
        if case .number(let literal) = operand {
            let value = negation ? -literal.value : literal.value
            return (
                .number(NumberLiteral(value: value, isDuration: literal.isDuration, place: place)), height
            )
        }
        return (
            .unary(UnaryOperation(isNegation: negation, operand: operand, place: place)),
            try Self.deeper(height, at: sign.position)
        )
    }

    private mutating func readBinaryModifiers(
        of binary: BinaryOperator, at place: TextRange
    ) throws(Failure) -> (returnsBool: Bool, VectorMatching) {
        var matching = VectorMatching()
        var returnsBool = false
        if current.kind == .keyword(.bool) {
            guard binary.family == .comparison else {
                throw Failure("bool modifier can only be used on comparison operators", at: current.position)
            }
            returnsBool = true
            _ = advance()
        }
        switch current.kind {
        case .keyword(.on): matching.isOn = true
        case .keyword(.ignoring): matching.isOn = false
        default: return (returnsBool, matching)
        }
        _ = advance()
        matching.labels = try readGroupingLabels()
        switch current.kind {
        case .keyword(.groupLeft): matching.cardinality = .manyToOne
        case .keyword(.groupRight): matching.cardinality = .oneToMany
        default: return (returnsBool, matching)
        }
        guard binary.family != .set else {
            throw Failure(
                "no grouping allowed for \(binary.rawValue.goQuoted) operation", at: current.position)
        }
        _ = advance()
        if case .leftParenthesis = current.kind { matching.include = try readGroupingLabels() }
        if matching.isOn, let label = matching.include.first(where: matching.labels.contains) {
            throw Failure(
                "label \(label.goQuoted) must not occur in ON and GROUP clause at once", at: place.start)
        }
        return (returnsBool, matching)
    }

    /// `(label, "another label", …)`, where keywords are labels too.
    mutating func readGroupingLabels() throws(Failure) -> [String] {
        guard skip(.leftParenthesis) else { throw unexpected(in: "grouping opts", expected: "\"(\"") }
        var labels: [String] = []
        while !skip(.rightParenthesis) {
            switch current.kind {
            case .identifier, .keyword, .aggregator: labels.append(advance().text)
            case .binary(let binary) where binary.rawValue.utf8.first?.isLetter == true:
                labels.append(advance().text)
            case .string: labels.append(try readString())
            default: throw unexpected(in: "grouping opts", expected: "label")
            }
            if skip(.comma) { continue }
            guard case .rightParenthesis = current.kind else {
                throw unexpected(in: "grouping opts", expected: "\",\" or \")\"")
            }
        }
        return labels
    }

    mutating func readString() throws(Failure) -> String {
        let token = advance()
        do { return try QuotedText.value(token.text) } catch {
            throw Failure(error.reason, at: token.position)
        }
    }
}
