/// What one selector of an expression needs from the store. Equal requests are loaded once.
struct SelectorRequest: Hashable, Sendable {
    enum Shape: Hashable, Sendable {
        /// The last value in the window.
        case latest
        /// The time of the last value in the window, in seconds: `timestamp(x)`.
        case latestTime
        /// A function of all values in the window, its scalar arguments known beforehand.
        case overTime(Function, parameters: [UInt64])
        /// The samples themselves: the answer to `name[5m]`.
        case samples
        /// A function of all values of all series of each group in the window: `sum by (x) (sum_over_time(name[1d]))`,
        /// where the two together are one.
        case grouped(GroupedFunction, GroupLabels)
    }

    /// Its `@` is a time or absent.
    let selector: VectorSelector
    let shape: Shape
    /// The length of the window.
    let windowMilliseconds: Int64
    /// The moments of evaluation.
    let moments: TimeGrid

    /// The ends of the windows, one for each moment.
    var ends: TimeGrid { moments.shifted(by: selector.shift) }

    /// From the left edge of the first window to the end of the last.
    var span: TimeWindow {
        TimeWindow(after: ends.start - windowMilliseconds, through: ends.last)
    }
}

/// Names the requests of an expression, the same in the walk before the evaluation and in the evaluation itself.
struct SelectorRequests {
    let context: QueryContext
    private(set) var all: [SelectorRequest] = []
    private var known: Set<SelectorRequest> = []

    init(_ context: QueryContext) { self.context = context }

    /// All requests of an expression, each once.
    static func all(
        in expression: Expression, _ context: QueryContext
    ) throws(QueryError) -> [SelectorRequest] {
        var requests = SelectorRequests(context)
        try requests.visit(expression, context.grid)
        return requests.all
    }

    private mutating func add(_ request: SelectorRequest) {
        if known.insert(request).inserted { all.append(request) }
    }

    private mutating func visit(_ expression: Expression, _ grid: TimeGrid) throws(QueryError) {
        switch expression {
        case .number, .string: break
        case .selector(let selector): add(.latest(selector, grid, context))
        case .range(let range): add(.samples(range, grid, context))
        case .subquery(let subquery): try visit(subquery.inner, try context.subgrid(of: subquery, in: grid))
        case .parenthesized(let inner, _): try visit(inner, grid)
        case .unary(let operation): try visit(operation.operand, grid)
        case .binary(let operation):
            try visit(operation.left, grid)
            try visit(operation.right, grid)
        case .aggregation(let aggregation):
            if let request = SelectorRequest.answering(aggregation, grid, context) {
                add(request)
                return
            }
            for argument in aggregation.arguments { try visit(argument, grid) }
        case .call(let call):
            if let request = SelectorRequest.answering(call, grid, context) {
                add(request)
                return
            }
            for argument in call.arguments { try visit(argument, grid) }
        }
    }
}

extension QueryContext {
    /// The steps that a subquery needs for windows that end at the moments of `grid`.
    func subgrid(of subquery: Subquery, in grid: TimeGrid) throws(QueryError) -> TimeGrid {
        let ends = grid.shifted(by: subquery.shift.resolved(in: self))
        guard
            let steps = ends.subgrid(
                rangeMilliseconds: subquery.rangeMilliseconds,
                stepMilliseconds: subquery.stepMilliseconds ?? QueryLimits.subqueryStepMilliseconds,
                limit: QueryLimits.samples)
        else { throw .tooManySamples }
        return steps
    }
}

extension SelectorRequest {
    private init(
        _ selector: VectorSelector, _ shape: Shape, windowMilliseconds: Int64, _ grid: TimeGrid,
        _ context: QueryContext
    ) {
        var selector = selector
        selector.shift = selector.shift.resolved(in: context)
        self.init(selector: selector, shape: shape, windowMilliseconds: windowMilliseconds, moments: grid)
    }

    static func latest(_ selector: VectorSelector, _ grid: TimeGrid, _ context: QueryContext) -> Self {
        Self(selector, .latest, windowMilliseconds: context.lookbackMilliseconds, grid, context)
    }

    static func samples(_ range: RangeSelector, _ grid: TimeGrid, _ context: QueryContext) -> Self {
        Self(range.selector, .samples, windowMilliseconds: range.rangeMilliseconds, grid, context)
    }

    /// The request that answers a whole call: a function of a range selector with constant scalar arguments, or
    /// `timestamp` of a selector.
    static func answering(_ call: Call, _ grid: TimeGrid, _ context: QueryContext) -> Self? {
        if call.function.name == "timestamp", case .selector(let selector)? = call.arguments.first?.unwrapped
        {
            return Self(
                selector, .latestTime, windowMilliseconds: context.lookbackMilliseconds, grid, context)
        }
        guard let (range, parameters) = call.windowArguments, case .range(let selector) = range else {
            return nil
        }
        var constants: [UInt64] = []
        for parameter in parameters {
            guard case .number(let literal) = parameter.unwrapped else { return nil }
            constants.append(literal.value.bitPattern)
        }
        return Self(
            selector.selector, .overTime(call.function, parameters: constants),
            windowMilliseconds: selector.rangeMilliseconds, grid, context)
    }
}

extension SelectorRequest {
    /// The request that answers a whole aggregation: one of all series of a group at once, which what is kept across
    /// series may answer without a look at each.
    static func answering(_ aggregation: Aggregation, _ grid: TimeGrid, _ context: QueryContext) -> Self? {
        guard let (function, range) = aggregation.grouped else { return nil }
        return Self(
            range.selector,
            .grouped(
                function,
                GroupLabels(
                    isWithout: aggregation.isWithout, names: aggregation.labels.map(Evaluator.shownLabel))),
            windowMilliseconds: range.rangeMilliseconds, grid, context)
    }
}

extension Aggregation {
    /// The function of all values of a group that the aggregation and the function under it are together, and the
    /// range selector under that.
    fileprivate var grouped: (GroupedFunction, RangeSelector)? {
        if self.operator == .mergedQuantile {
            guard case .range(let range) = argument.unwrapped,
                case .number(let literal)? = parameter?.unwrapped
            else { return nil }
            return (.quantile(literal.value.bitPattern), range)
        }
        guard case .call(let call) = argument.unwrapped, call.arguments.count == 1,
            case .range(let range)? = call.arguments.first?.unwrapped,
            case .window(let window) = call.function.evaluation
        else { return nil }
        switch (self.operator, window.exact) {
        case (.sum, .sum): return (.exact(.sum), range)
        case (.sum, .count): return (.exact(.count), range)
        case (.min, .minimum): return (.exact(.minimum), range)
        case (.max, .maximum): return (.exact(.maximum), range)
        default: return nil
        }
    }
}

extension SelectorRequest.Shape {
    var grouped: GroupedFunction? { if case .grouped(let function, _) = self { function } else { nil } }
}

extension Call {
    /// The range vector and the scalars of a function of windows.
    var windowArguments: (range: Expression, parameters: [Expression])? {
        guard case .window(let function) = self.function.evaluation else { return nil }
        var parameters = arguments
        return (parameters.remove(at: function.rangePosition).unwrapped, parameters)
    }
}

extension Expression {
    /// Without the parentheses around it.
    var unwrapped: Expression {
        if case .parenthesized(let inner, _) = self { inner.unwrapped } else { self }
    }
}
