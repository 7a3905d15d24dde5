/// A parsed pattern.
indirect enum PatternNode: Hashable, Sendable {
    case scalars(ScalarSet)
    case sequence([PatternNode])
    case alternation([PatternNode])
    /// `maximum` is `nil` for "any number".
    case repetition(PatternNode, minimum: Int, maximum: Int?, isLazy: Bool)
    /// A group whose text can be referred to; the first in the pattern is 1.
    case capture(PatternNode, group: Int)
    case assertion(Assertion)

    enum Assertion: Hashable, Sendable {
        case textStart, textEnd, lineStart, lineEnd, wordBoundary, notWordBoundary

        func holds(between previous: Unicode.Scalar?, and next: Unicode.Scalar?) -> Bool {
            switch self {
            case .textStart: previous == nil
            case .textEnd: next == nil
            case .lineStart: previous == nil || previous == "\n"
            case .lineEnd: next == nil || next == "\n"
            case .wordBoundary: (previous?.isWord ?? false) != (next?.isWord ?? false)
            case .notWordBoundary: (previous?.isWord ?? false) == (next?.isWord ?? false)
            }
        }
    }

    /// The texts that match, where they can be listed.
    func literals(limit: Int) -> [String]? {
        switch self {
        case .alternation(let choices):
            guard choices.count <= limit else { return nil }
            var texts: [String] = []
            for choice in choices {
                guard let text = choice.literal else { return nil }
                texts.append(text)
            }
            return texts
        case .scalars, .sequence: return literal.map { [$0] }
        case .capture(let body, _): return body.literals(limit: limit)
        case .repetition, .assertion: return nil
        }
    }

    private var literal: String? {
        switch self {
        case .scalars(let set): return set.single.map { String(Character($0)) }
        case .sequence(let nodes):
            var text = String.UnicodeScalarView()
            for node in nodes {
                guard case .scalars(let set) = node, let scalar = set.single else { return nil }
                text.append(scalar)
            }
            return String(text)
        case .capture(let body, _): return body.literal
        case .alternation, .repetition, .assertion: return nil
        }
    }
}
