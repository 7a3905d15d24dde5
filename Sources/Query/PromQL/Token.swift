/// One word of an expression, with its place in the text.
struct Token: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case end
        /// The text does not go on as a word; the reason, in Prometheus's terms.
        case failure(String)
        case identifier
        /// An identifier with a colon: the name of a recording rule.
        case metricIdentifier
        case string
        case number
        case duration
        case leftParenthesis, rightParenthesis, leftBrace, rightBrace, leftBracket, rightBracket
        case comma, colon, at
        /// `=`, `=~`, `!~`: only between a label and its value. (`!=` is an operator as well.)
        case equal, equalPattern, notEqualPattern
        case binary(BinaryOperator)
        case aggregator(Aggregator)
        case keyword(Keyword)
    }

    enum Keyword: String, CaseIterable, Hashable, Sendable {
        case offset, by, without, on, ignoring, bool, start, end
        case groupLeft = "group_left"
        case groupRight = "group_right"
    }

    let kind: Kind
    /// As it stands in the expression; empty at the end.
    let text: String
    /// The offset of its first byte.
    let position: Int

    var end: Int { position + text.utf8.count }

    /// As Prometheus names it in "unexpected …".
    var summary: String {
        switch kind {
        case .end: "end of input"
        case .failure(let reason): reason
        case .identifier: "identifier \(text.goQuoted)"
        case .metricIdentifier: "metric identifier \(text.goQuoted)"
        case .string: "string \(shortened)"
        case .number: "number \(shortened)"
        case .duration: "duration \(shortened)"
        case .binary, .equalPattern, .notEqualPattern, .at: "<op:\(text)>"
        case .aggregator: "<aggr:\(text)>"
        case .keyword: "<\(text)>"
        case .leftParenthesis, .rightParenthesis, .leftBrace, .rightBrace, .leftBracket, .rightBracket,
            .comma,
            .colon, .equal:
            text.goQuoted
        }
    }

    private var shortened: String {
        text.unicodeScalars.count > 10
            ? String(String.UnicodeScalarView(text.unicodeScalars.prefix(10))).goQuoted + "..."
            : text.goQuoted
    }
}
