/// `name{label="value", …}`, and `{"name in quotes", "label in quotes"="value"}`.
extension Parser {
    mutating func readSelector() throws(Failure) -> VectorSelector {
        let start = current
        var end = start.end
        var name: String?
        switch start.kind {
        case .identifier, .metricIdentifier, .aggregator: name = advance().text
        case .keyword(let keyword):
            switch keyword {
            case .offset, .by, .without, .start, .end: name = advance().text
            case .on, .ignoring, .bool, .groupLeft, .groupRight: throw unexpected()
            }
        case .binary(.and), .binary(.or), .binary(.unless): name = advance().text
        case .leftBrace: break
        default: throw unexpected()
        }
        var matchers: [LabelMatcher] = []
        if skip(.leftBrace) { (matchers, end) = try readMatchers() }
        if let name {
            if let second = matchers.first(where: { $0.name == LabelSet.metricName && $0.kind == .equal }) {
                throw Failure(
                    "metric name must not be set twice: \(name.goQuoted) or \(second.value.goQuoted)",
                    at: start.position)
            }
            matchers.append(try matcher(LabelSet.metricName, .equal, name, at: start.position))
        }
        // Every series would be selected, which nobody means.
        guard matchers.contains(where: { !$0.accepts(anyOf: [""]) }) else {
            throw Failure(
                "vector selector must contain at least one non-empty matcher", at: start.position)
        }
        return VectorSelector(name: name, matchers: matchers, place: TextRange(start.position, end))
    }

    private mutating func readMatchers() throws(Failure) -> (matchers: [LabelMatcher], end: Int) {
        var matchers: [LabelMatcher] = []
        while true {
            let close = current
            if skip(.rightBrace) { return (matchers, close.end) }
            matchers.append(try readMatcher())
            if skip(.comma) { continue }
            guard case .rightBrace = current.kind else {
                throw unexpected(in: "label matching", expected: "\",\" or \"}\"")
            }
        }
    }

    private mutating func readMatcher() throws(Failure) -> LabelMatcher {
        let label = current
        let name: String
        switch label.kind {
        case .identifier: name = advance().text
        case .string:
            name = try readString()
            switch current.kind {
            case .comma, .rightBrace:
                return try matcher(LabelSet.metricName, .equal, name, at: label.position)
            default: break
            }
        default: throw unexpected(in: "label matching", expected: "identifier or \"}\"")
        }
        let kind: LabelMatcher.Kind
        switch current.kind {
        case .equal: kind = .equal
        case .binary(.notEqual): kind = .notEqual
        case .equalPattern: kind = .matches
        case .notEqualPattern: kind = .doesNotMatch
        default: throw unexpected(in: "label matching", expected: "label matching operator")
        }
        _ = advance()
        guard case .string = current.kind else { throw unexpected(in: "label matching", expected: "string") }
        return try matcher(name, kind, try readString(), at: label.position)
    }

    private func matcher(
        _ name: String, _ kind: LabelMatcher.Kind, _ value: String, at offset: Int
    ) throws(Failure) -> LabelMatcher {
        do {
            return try LabelMatcher(name: name, kind: kind, value: value)
        } catch {
            throw Failure("error parsing regexp: \(error.reason)", at: offset)
        }
    }
}
