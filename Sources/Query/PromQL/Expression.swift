/// A PromQL expression as the parser understood it.
public indirect enum Expression: Hashable, Sendable {
    case number(NumberLiteral)
    case string(StringLiteral)
    case selector(VectorSelector)
    case range(RangeSelector)
    case subquery(Subquery)
    case parenthesized(Expression, TextRange)
    case unary(UnaryOperation)
    case binary(BinaryOperation)
    case aggregation(Aggregation)
    case call(Call)

    /// Where the expression stands in the text it was read from.
    public var place: TextRange {
        switch self {
        case .number(let literal): literal.place
        case .string(let literal): literal.place
        case .selector(let selector): selector.place
        case .range(let range): range.place
        case .subquery(let subquery): subquery.place
        case .parenthesized(_, let place): place
        case .unary(let operation): operation.place
        case .binary(let operation): operation.left.place.joined(operation.right.place)
        case .aggregation(let aggregation): aggregation.place
        case .call(let call): call.place
        }
    }
}

/// A range of bytes of the text. Where an expression stood is no part of what it is: all ranges are equal.
public struct TextRange: Hashable, Sendable {
    public let start: Int
    public let end: Int

    public init(_ start: Int, _ end: Int) {
        self.start = start
        self.end = end
    }

    func joined(_ other: TextRange) -> TextRange { TextRange(start, other.end) }

    public static func == (left: Self, right: Self) -> Bool { true }
    public func hash(into hasher: inout Hasher) {}
}

/// What an expression evaluates to at one moment.
public enum ValueType: String, Hashable, Sendable {
    case scalar, vector, matrix, string

    /// The name in Prometheus's documentation and error messages.
    var documented: String {
        switch self {
        case .scalar: "scalar"
        case .vector: "instant vector"
        case .matrix: "range vector"
        case .string: "string"
        }
    }
}

public struct NumberLiteral: Hashable, Sendable {
    public let value: Double
    /// Written as a duration, `5m` for 300.
    public let isDuration: Bool
    public let place: TextRange

    /// By the bits, so that `NaN` equals itself.
    public static func == (left: Self, right: Self) -> Bool {
        left.value.bitPattern == right.value.bitPattern && left.isDuration == right.isDuration
    }
    public func hash(into hasher: inout Hasher) { hasher.combine(value.bitPattern) }
}

public struct StringLiteral: Hashable, Sendable {
    public let value: String
    public let place: TextRange
}

public struct LabelMatcher: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        case equal = "="
        case notEqual = "!="
        case matches = "=~"
        case doesNotMatch = "!~"

        var isNegative: Bool {
            switch self {
            case .notEqual, .doesNotMatch: true
            case .equal, .matches: false
            }
        }
    }

    public let name: String
    public let kind: Kind
    /// The value, or the pattern.
    public let value: String
    /// The compiled pattern; `nil` for `=` and `!=`.
    let pattern: Pattern?

    init(name: String, kind: Kind, value: String) throws(Pattern.Failure) {
        self.name = name
        self.kind = kind
        self.value = value
        switch kind {
        case .equal, .notEqual: pattern = nil
        case .matches, .doesNotMatch: pattern = try Pattern(value)
        }
    }

    /// Whether this matcher accepts a series whose label has one of `values`: a metric has two names, its own and
    /// the one Prometheus would give it. The negative matchers accept what the positive ones refuse.
    func accepts(anyOf values: [String]) -> Bool {
        let found = values.contains { value in
            switch kind {
            case .equal, .notEqual: value.utf8.elementsEqual(self.value.utf8)
            case .matches, .doesNotMatch: pattern?.matches(value) ?? false
            }
        }
        return found != kind.isNegative
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.name == right.name && left.kind == right.kind && left.value == right.value
    }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(kind)
        hasher.combine(value)
    }
}

public struct UnaryOperation: Hashable, Sendable {
    public let isNegation: Bool
    public let operand: Expression
    public let place: TextRange
}

public enum BinaryOperator: String, CaseIterable, Hashable, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case modulo = "%"
    case power = "^"
    case atan2
    case equal = "=="
    case notEqual = "!="
    case greater = ">"
    case less = "<"
    case greaterOrEqual = ">="
    case lessOrEqual = "<="
    case and, or, unless

    public enum Family: Hashable, Sendable { case arithmetic, comparison, set }

    public var family: Family {
        switch self {
        case .add, .subtract, .multiply, .divide, .modulo, .power, .atan2: .arithmetic
        case .equal, .notEqual, .greater, .less, .greaterOrEqual, .lessOrEqual: .comparison
        case .and, .or, .unless: .set
        }
    }

    /// Higher binds tighter.
    var precedence: Int {
        switch self {
        case .or: 1
        case .and, .unless: 2
        case .equal, .notEqual, .greater, .less, .greaterOrEqual, .lessOrEqual: 3
        case .add, .subtract: 4
        case .multiply, .divide, .modulo, .atan2: 5
        case .power: 6
        }
    }
}

/// Which series of the two sides belong together.
public struct VectorMatching: Hashable, Sendable {
    public enum Cardinality: Hashable, Sendable { case oneToOne, manyToOne, oneToMany }

    /// `on (labels)`; otherwise `ignoring (labels)`, or all labels.
    public var isOn = false
    public var labels: [String] = []
    public var cardinality = Cardinality.oneToOne
    /// Labels that `group_left` or `group_right` takes over from the one side.
    public var include: [String] = []
}

public struct BinaryOperation: Hashable, Sendable {
    public let `operator`: BinaryOperator
    public let returnsBool: Bool
    public let matching: VectorMatching
    public let left: Expression
    public let right: Expression
    /// Of the operator.
    public let operatorPlace: TextRange
}

public struct Call: Hashable, Sendable {
    public let function: Function
    public let arguments: [Expression]
    public let place: TextRange
}
