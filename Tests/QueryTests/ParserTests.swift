import TestSupport
import Testing

@testable import Query

@Suite struct `The PromQL parser` {
    /// The expression with every operation in parentheses.
    private func structure(_ text: String) throws -> String { Self.structure(try Parser.expression(text)) }

    private static func structure(_ expression: Expression) -> String {
        switch expression {
        case .number, .string, .selector, .range, .subquery, .aggregation, .call: Formatter.line(expression)
        case .parenthesized(let inner, _): structure(inner)
        case .unary(let operation): "\(operation.isNegation ? "-" : "+")(\(structure(operation.operand)))"
        case .binary(let operation):
            "(\(structure(operation.left)) \(operation.operator.rawValue) \(structure(operation.right)))"
        }
    }

    @Test(arguments: [
        ("1 + 2 * 3", "(1 + (2 * 3))"), ("1 * 2 + 3", "((1 * 2) + 3)"), ("1 - 2 - 3", "((1 - 2) - 3)"),
        ("2 ^ 3 ^ 2", "(2 ^ (3 ^ 2))"), ("-1 ^ 2", "-((1 ^ 2))"), ("2 ^ -1 * 3", "((2 ^ -1) * 3)"),
        ("-foo * bar", "(-(foo) * bar)"), ("-a ^ b", "-((a ^ b))"), ("- - 1", "1"), ("+5", "5"),
        ("a or b and c", "(a or (b and c))"), ("a and b unless c", "((a and b) unless c)"),
        ("a == bool 1 + 2", "(a == (1 + 2))"), ("a > b or c < d", "((a > b) or (c < d))"),
        ("a % b atan2 c", "((a % b) atan2 c)"), ("a + b > c", "((a + b) > c)"),
        ("(a + b) * c", "((a + b) * c)"), ("-foo offset 5m", "-(foo offset 5m)"),
    ])
    func `binds operators as Prometheus documents`(_ text: String, _ expected: String) throws {
        #expect(try structure(text) == expected)
    }

    @Test(arguments: [
        ("23", 23), ("-2.43", -2.43), ("3.4e-9", 3.4e-9), ("0x8f", 143), ("-Inf", -.infinity),
        ("inf", .infinity),
        ("1_000_000", 1_000_000), (".123_456_789", 0.123456789), ("0x_53_AB_F3_82", 1_403_777_922),
        ("1s", 1), ("2m", 120), ("1ms", 0.001), ("-2h", -7200), ("1h30m", 5400), ("017", 15), ("0.5", 0.5),
        ("5.", 5), ("1e3", 1000), ("1E+3", 1000), ("08", 8),
    ])
    func `reads numbers in every documented form`(_ text: String, _ expected: Double) throws {
        guard case .number(let literal) = try Parser.expression(text) else {
            Issue.record("\(text) is no number")
            return
        }
        #expect(literal.value == expected)
    }

    @Test(arguments: [
        ("foo", "foo"), ("foo{}", "foo"), ("foo{a='b',}", #"foo{a="b"}"#),
        (#"foo{b!="c", a=~"x|y", d!~'z.*'}"#, #"foo{a=~"x|y",b!="c",d!~"z.*"}"#),
        ("{__name__='foo'}", #"{__name__="foo"}"#),
        (#"{"cicd.pipeline.run.duration"}"#, #"{__name__="cicd.pipeline.run.duration"}"#),
        (
            #"{"cicd.pipeline.run.duration", "vcs.ref.head.name"="main"}"#,
            #"{"vcs.ref.head.name"="main",__name__="cicd.pipeline.run.duration"}"#
        ),
        ("a:b:c", "a:b:c"), ("foo[5m]", "foo[5m]"), ("foo[300]", "foo[5m]"),
        ("foo[1h30m] offset -1d", "foo[1h30m] offset -1d"),
        ("foo @ 1609746000", "foo @ 1609746000.000"), ("foo @ end() offset 1w", "foo @ end() offset 1w"),
        ("foo offset 1w @ start()", "foo @ start() offset 1w"),
        ("sum by (a, b) (foo)", "sum by (a, b) (foo)"), ("sum(foo) by (a)", "sum by (a) (foo)"),
        ("SUM without(a) (foo)", "sum without (a) (foo)"), ("sum by () (foo)", "sum(foo)"),
        ("sum without () (foo)", "sum without () (foo)"),
        (#"sum by ("vcs.ref") (foo)"#, #"sum by ("vcs.ref") (foo)"#),
        ("avg_over_time(foo[1d])", "avg_over_time(foo[1d])"), ("foo # comment\n + 1", "foo + 1"),
        ("a / on(x) group_left(y) b", "a / on (x) group_left (y) b"), ("a + ignoring() b", "a + b"),
        ("a == bool on() b", "a == bool on () b"), ("sum", "sum"), ("by + offset", "by + offset"),
        (#""a\"\n\x41\u00e9""#, #""a\"\nAé""#), ("`a\\n`", #""a\\n""#), ("'it\\'s'", #""it's""#),
        ("foo[0x10]", "foo[16s]"), ("foo[1h:5m]", "foo[1h:5m]"), ("foo[1h:] offset 5m", "foo[1h:] offset 5m"),
        ("rate(foo[5m])[1h:30] @ 5", "rate(foo[5m])[1h:30s] @ 5.000"), ("topk(3, foo)", "topk(3, foo)"),
        ("topk by (a) (3, foo)", "topk by (a) (3, foo)"),
        ("count_values('x', foo)", "count_values(\"x\", foo)"),
        (
            "merged_quantile_over_time by (a) (0.9, foo[1d])",
            "merged_quantile_over_time by (a) (0.9, foo[1d])"
        ), ("1e-7", "0.0000001"), ("NaN", "NaN"), ("foo{on='x'}", #"foo{on="x"}"#),
    ])
    func `writes what it read in the standard form`(_ text: String, _ expected: String) throws {
        #expect(try QueryEngine.format(text) == expected)
    }

    @Test func `splits long expressions as Prometheus does`() throws {
        let long =
            "sum by (job) (http_requests_total{code=\"200\"}) / sum by (job) (http_requests_total) "
            + "+ avg(http_requests_total{job=\"abcdefghij\"})"
        #expect(
            try QueryEngine.format(long) == """
                  sum by (job) (http_requests_total{code="200"}) / sum by (job) (http_requests_total)
                +
                  avg(http_requests_total{job="abcdefghij"})
                """)
    }

    @Test(arguments: [
        ("", "unknown position: parse error: no expression found in input"),
        ("1 2", "1:3: parse error: unexpected number \"2\""),
        ("foo bar", "1:5: parse error: unexpected identifier \"bar\""),
        ("1 +", "1:4: parse error: unexpected end of input"),
        ("(1", "1:3: parse error: unclosed left parenthesis"),
        ("1)", "1:3: parse error: unexpected right parenthesis ')'"),
        ("foo{", "1:5: parse error: unexpected end of input inside braces"),
        ("foo{a}", "1:6: parse error: unexpected \"}\" in label matching, expected label matching operator"),
        ("foo{a=b}", "1:7: parse error: unexpected identifier \"b\" in label matching, expected string"),
        (
            "foo{a='x' b='y'}",
            "1:11: parse error: unexpected identifier \"b\" in label matching, expected \",\" or \"}\""
        ),
        ("foo{a='b}", "1:7: parse error: unterminated quoted string"),
        ("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
        ("{a=~'.*'}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
        ("foo{__name__='bar'}", "1:1: parse error: metric name must not be set twice: \"foo\" or \"bar\""),
        ("foo[5m", "1:7: parse error: unclosed left bracket"),
        ("foo[0s]", "1:5: parse error: duration must be greater than 0"),
        ("foo[5mm]", "1:5: parse error: not a valid duration string: \"5mm\""),
        ("foo[5m1h]", "1:5: parse error: not a valid duration string: \"5m1h\""),
        ("foo[5m:0s]", "1:8: parse error: duration must be greater than 0"),
        (
            "foo[5m][5m:1m]",
            "1:1: parse error: subquery is only allowed on instant vector, got matrix instead"
        ),
        ("1[5m:]", "1:1: parse error: subquery is only allowed on instant vector, got scalar instead"),
        ("(foo)[5m]", "1:6: parse error: ranges only allowed for vector selectors"),
        ("foo offset 5m[5m]", "1:14: parse error: no offset modifiers allowed before range"),
        (
            "1 offset 5m",
            "1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector "
                + "selector or a subquery"
        ),
        ("foo offset", "1:11: parse error: unexpected end of input in offset, expected number or duration"),
        ("nonsense(foo)", "1:1: parse error: unknown function with name \"nonsense\""),
        (
            "topk(foo, foo)",
            "1:6: parse error: expected type scalar in aggregation parameter, got instant vector"
        ),
        (
            "topk(foo)",
            "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1"
        ),
        ("round()", "1:1: parse error: expected at least 1 argument(s) in call to \"round\", got 0"),
        ("hour(a, b)", "1:1: parse error: expected at most 1 argument(s) in call to \"hour\", got 2"),
        (
            "count_values(1, foo)",
            "1:14: parse error: expected type string in aggregation parameter, got scalar"
        ),
        (
            "sum_over_time(foo)",
            "1:15: parse error: expected type range vector in call to function \"sum_over_time\", got instant vector"
        ),
        ("sum_over_time()", "1:1: parse error: expected 1 argument(s) in call to \"sum_over_time\", got 0"),
        ("sum(1)", "1:5: parse error: expected type instant vector in aggregation expression, got scalar"),
        ("sum()", "1:1: parse error: no arguments for aggregate expression provided"),
        (
            "sum(a, b)",
            "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 1, got 2"
        ),
        ("1 == 1", "1:3: parse error: comparisons between scalars must use BOOL modifier"),
        ("1 and 1", "1:3: parse error: set operator \"and\" not allowed in binary scalar expression"),
        ("1 + bool 1", "1:5: parse error: bool modifier can only be used on comparison operators"),
        ("'a' + 1", "1:1: parse error: binary expression must contain only scalar and instant vector types"),
        (
            "foo[5m] + 1",
            "1:1: parse error: binary expression must contain only scalar and instant vector types"
        ),
        ("1 + on(a) foo", "1:3: parse error: vector matching only allowed between instant vectors"),
        ("a and on(x) group_left b", "1:13: parse error: no grouping allowed for \"and\" operation"),
        (
            "a + on(x) group_left(x) b",
            "1:3: parse error: label \"x\" must not occur in ON and GROUP clause at once"
        ),
        ("foo{a=~'('}", "1:5: parse error: error parsing regexp: missing closing ): `(`"),
        ("a\n+\n  %", "3:3: parse error: unexpected <op:%>"),
        ("1.2.3", "1:1: parse error: bad number or duration syntax: \"1.2.\""),
        ("foo $ bar", "1:5: parse error: unexpected character: '$'"),
        ("a =~ b", "1:3: parse error: unexpected character after '=': '~'"),
        (
            "-'a'",
            "1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, "
                + "got \"string\""
        ),
    ])
    func `says what is wrong, and where`(_ text: String, _ expected: String) throws {
        let error = #expect(throws: QueryError.self) { try Parser.expression(text) }
        #expect(error?.kind == .badData)
        #expect(error?.message == expected)
    }

    @Test func `refuses nesting and length beyond its limits`() throws {
        let deep = String(repeating: "(", count: 5000) + "1" + String(repeating: ")", count: 5000)
        #expect(throws: QueryError.self) { try Parser.expression(deep) }
        #expect(throws: QueryError.self) { try Parser.expression(String(repeating: "-", count: 5000) + "a") }
        #expect(throws: QueryError.self) { try Parser.expression("1" + String(repeating: "+1", count: 5000)) }
        #expect(throws: QueryError.self) { try Parser.expression("1" + String(repeating: "^1", count: 5000)) }
        #expect(throws: QueryError.self) { try Parser.expression(String(repeating: " ", count: 70_000)) }
        #expect(throws: Never.self) { try Parser.expression("1" + String(repeating: "+1", count: 150)) }
    }

    @Test func `survives every cut and random damage of good expressions`() throws {
        let good = [
            #"sum by (a, "b.c") (foo{x="y", z=~"(a|b){2,3}[[:alpha:]]\\d"} offset 5m) / 2 ^ -1 >= bool 0x1F"#,
            #"avg_over_time({"cicd.pipeline.run.duration"}[1h30m] @ end()) unless on(a) group_left(b) foo # x"#,
            "'\\u00e9\\x41' + `raw` or 1_000.5e3",
        ]
        var generator = SeededGenerator(seed: 1)
        var tried = 0
        for text in good {
            let bytes = Array(text.utf8)
            for length in 0...bytes.count {
                _ = try? Parser.expression(String(decoding: bytes[..<length], as: UTF8.self))
            }
            for _ in 0..<1500 {
                var damaged = bytes
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    let place = Int.random(in: 0..<damaged.count, using: &generator)
                    switch Int.random(in: 0..<3, using: &generator) {
                    case 0: damaged[place] = UInt8.random(in: 0...255, using: &generator)
                    case 1: damaged.remove(at: place)
                    default:
                        damaged.insert(
                            generator.pick(Array("(){}[]\"'`\\^-+=~!,.:0129eExX_@# ".utf8)), at: place)
                    }
                }
                _ = try? Parser.expression(String(decoding: damaged, as: UTF8.self))
                tried += 1
            }
        }
        #expect(tried == 4500)
    }

    @Test func `reads back what it wrote of random expressions`() throws {
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<600 {
            let text = RandomExpression.text(depth: 4, using: &generator)
            let expression = try Parser.expression(text)
            let line = Formatter.line(expression)
            #expect(try Parser.expression(line) == expression, "\(text) became \(line)")
            #expect(try Parser.expression(Formatter.text(expression)) == expression, "\(text)")
            #expect(Formatter.line(try Parser.expression(line)) == line)
        }
    }
}

/// Vector expressions that are valid by construction, with the parentheses that they need and some more.
enum RandomExpression {
    static func text(depth: Int, using generator: inout SeededGenerator) -> String {
        if depth == 0 { return selector(using: &generator) + offset(using: &generator) }
        let inner = { (generator: inout SeededGenerator) in text(depth: depth - 1, using: &generator) }
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: return "(" + inner(&generator) + ")"
        case 1: return generator.pick(["-", "+", "- "]) + "(" + inner(&generator) + ")"
        case 2:
            let aggregator = generator.pick(["sum", "avg", "min", "max", "count", "group"])
            let grouping = generator.pick(["", " by (a, b)", " without (a)", " by (\"x.y\", on)", " by ()"])
            return aggregator + grouping + "(" + inner(&generator) + ")"
        case 3:
            let function = generator.pick(Function.all.filter { $0.argumentTypes == [.matrix] }).name
            let range = generator.pick(["[5m]", "[1h30m]", "[90]", "[2w]", "[1y3ms]"])
            return function + "(" + selector(using: &generator) + range + offset(using: &generator) + ")"
        case 4:
            let symbol = generator.pick([
                "+", "-", "*", "/", "%", "^", "atan2", "== bool", ">", "<=", "!= bool",
            ])
            return inner(&generator) + " " + symbol + " " + number(using: &generator)
        case 5:
            let symbol = generator.pick(["+", "*", "^", "==", "<", "and", "or", "unless", "-", "/"])
            let matching = generator.pick(["", " on (a)", " ignoring (a, b)"])
            // Without parentheses a number could come to stand beside the matching.
            if !matching.isEmpty {
                return "(\(inner(&generator))) \(symbol)\(matching) (\(inner(&generator)))"
            }
            return inner(&generator) + " " + symbol + " " + inner(&generator)
        case 6: return "(\(inner(&generator))) / on (a) group_left (b) (\(inner(&generator)))"
        default: return number(using: &generator) + " * " + inner(&generator)
        }
    }

    private static func number(using generator: inout SeededGenerator) -> String {
        generator.pick(["1", "0x1f", "2.5e-9", "-3", "Inf", "-Inf", "NaN", "5m", "1_000", ".5", "1e22"])
    }

    private static func selector(using generator: inout SeededGenerator) -> String {
        let name = generator.pick(["foo", "a:b", "sum", "offset", "and", "start"])
        let matchers = generator.pick([
            "", "{}", "{a=\"x\"}", "{a!='y',b=~\"z|w.*\"}", "{\"x.y\"=`1`, c!~'[a-z]+'}",
            "{a=\"\\\"\\n\\u00e9\"}",
        ])
        if Int.random(in: 0..<4, using: &generator) == 0 { return "{\"cicd.run\", a=~\"b\"}" }
        return name + matchers
    }

    private static func offset(using generator: inout SeededGenerator) -> String {
        generator.pick(["", "", " offset 5m", " offset -1h", " @ 1.5", " @ start() offset 1d", " @ end()"])
    }
}
