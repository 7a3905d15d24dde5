internal import Ledger

/// Functions that change labels.
extension Function {
    static let labels: [Function] = [
        Function("label_replace", [.vector, .string, .string, .string, .string], .whole(labelReplace)),
        Function(
            "label_join", [.vector, .string, .string, .string], arity: .lastRepeated, .whole(labelJoin)),
    ]

    @Sendable private static func labelReplace(
        _ evaluator: inout Evaluator, _ call: Call
    ) throws(QueryError) -> Evaluator.Value {
        var texts: [String] = []
        for argument in call.arguments.dropFirst() { texts.append(try evaluator.string(argument)) }
        let (destination, template, source, pattern) = (texts[0], texts[1], texts[2], texts[3])
        let replacement: PatternReplacement
        do { replacement = try PatternReplacement(pattern: pattern, template: template) } catch {
            throw QueryError(
                .execution, "invalid regular expression in label_replace(): \(pattern)")
        }
        guard !destination.isEmpty else {
            throw QueryError(.execution, "invalid destination label name in label_replace(): \(destination)")
        }
        var columns = try evaluator.vector(call.arguments[0])
        for index in columns.indices {
            let labels = columns[index].labels
            guard let text = replacement.replaced(labels[Evaluator.shownLabel(source)] ?? "") else {
                continue
            }
            columns[index].labels = labels.setting(destination, to: text)
        }
        return .vector(try columns.joined())
    }

    @Sendable private static func labelJoin(
        _ evaluator: inout Evaluator, _ call: Call
    ) throws(QueryError) -> Evaluator.Value {
        var texts: [String] = []
        for argument in call.arguments.dropFirst() { texts.append(try evaluator.string(argument)) }
        let destination = texts[0]
        guard !destination.isEmpty else {
            throw QueryError(.execution, "invalid destination label name in label_join(): \(destination)")
        }
        guard !texts.dropFirst(2).contains("") else {
            throw QueryError(.execution, "invalid source label name in label_join(): ")
        }
        let sources = texts.dropFirst(2).map(Evaluator.shownLabel)
        var columns = try evaluator.vector(call.arguments[0])
        for index in columns.indices {
            let labels = columns[index].labels
            let joined = sources.map { labels[$0] ?? "" }.joined(separator: texts[1])
            columns[index].labels = labels.setting(destination, to: joined)
        }
        return .vector(try columns.joined())
    }
}
