/// A function of the language: what it takes, what it gives, how it is evaluated. All of them are in `table`.
public struct Function: Sendable {
    public let name: String
    let argumentTypes: [ValueType]
    let arity: Arity
    let resultType: ValueType
    let evaluation: Evaluation

    enum Arity: Hashable, Sendable {
        case exact
        case lastOptional
        /// The last type any number of times, none included.
        case lastRepeated
    }

    enum Evaluation: Sendable {
        /// Of each value by itself. The metric name goes.
        case map(@Sendable (Double) -> Double)
        /// Of each value as seconds since 1970, or of the moment of evaluation without an argument.
        case date(@Sendable (CivilTime) -> Double)
        /// Of the points of each window.
        case window(WindowFunction)
        /// Of everything at once.
        case whole(@Sendable (inout Evaluator, Call) throws(QueryError) -> Evaluator.Value)
    }

    init(
        _ name: String, _ argumentTypes: [ValueType], arity: Arity = .exact,
        returns resultType: ValueType = .vector,
        _ evaluation: Evaluation
    ) {
        self.name = name
        self.argumentTypes = argumentTypes
        self.arity = arity
        self.resultType = resultType
        self.evaluation = evaluation
    }

    var argumentCounts: ClosedRange<Int> {
        let count = argumentTypes.count
        switch arity {
        case .exact: return count...count
        case .lastOptional: return count - 1...count
        case .lastRepeated: return count - 1...Int.max
        }
    }

    /// Every function of Prometheus 3 but `info` and those of durations in expressions, which are experimental.
    static let all: [Function] =
        mathematics + dates + overTime + counters + regressions + absences + labels + sorting + histograms
        + conversions

    private static let table = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    static func named(_ name: String) -> Function? { table[name] }
}

extension Function: Hashable {
    /// A name means one function.
    public static func == (left: Self, right: Self) -> Bool { left.name == right.name }
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
