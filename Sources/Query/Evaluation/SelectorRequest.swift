/// What one selector of an expression needs from the store. Equal selectors are loaded once.
struct SelectorRequest: Hashable, Sendable {
    enum Shape: Hashable, Sendable {
        /// The last value in the window.
        case latest
        /// A function of all values in the window.
        case overTime(Function)
        /// The samples themselves: the answer to `name[5m]`.
        case samples
    }

    let selector: VectorSelector
    let shape: Shape
    /// The length of the window, in milliseconds.
    let windowMilliseconds: Int64

    /// The end of the window for each moment asked for.
    func ends(for times: [Int64]) -> [Int64] {
        times.map { time in
            let moment: Int64
            switch selector.moment {
            case nil: moment = time
            case .time(let fixed): moment = fixed
            case .start: moment = times.first ?? time
            case .end: moment = times.last ?? time
            }
            // All three are far below 2⁶²: the limits of timestamps and durations.
            return moment - selector.offsetMilliseconds
        }
    }

    func window(endingAt end: Int64) -> TimeWindow {
        TimeWindow(after: end - windowMilliseconds, through: end)
    }

    /// All requests of an expression, each once.
    static func all(in expression: Expression, lookbackMilliseconds: Int64) -> [SelectorRequest] {
        var requests: [SelectorRequest] = []
        func add(_ request: SelectorRequest) {
            if !requests.contains(request) { requests.append(request) }
        }
        func visit(_ expression: Expression) {
            switch expression {
            case .number, .string: break
            case .selector(let selector): add(.latest(selector, lookbackMilliseconds))
            case .range(let range): add(.samples(range))
            case .parenthesized(let inner, _): visit(inner)
            case .unary(let operation): visit(operation.operand)
            case .binary(let operation):
                visit(operation.left)
                visit(operation.right)
            case .aggregation(let aggregation): visit(aggregation.argument)
            case .call(let call):
                for argument in call.arguments {
                    if let range = argument.unwrappedRange {
                        add(.overTime(call.function, range))
                    } else {
                        visit(argument)
                    }
                }
            }
        }
        visit(expression)
        return requests
    }

    static func latest(_ selector: VectorSelector, _ lookbackMilliseconds: Int64) -> SelectorRequest {
        SelectorRequest(selector: selector, shape: .latest, windowMilliseconds: lookbackMilliseconds)
    }

    static func overTime(_ function: Function, _ range: RangeSelector) -> SelectorRequest {
        SelectorRequest(
            selector: range.selector, shape: .overTime(function), windowMilliseconds: range.rangeMilliseconds)
    }

    static func samples(_ range: RangeSelector) -> SelectorRequest {
        SelectorRequest(
            selector: range.selector, shape: .samples, windowMilliseconds: range.rangeMilliseconds)
    }
}

extension Expression {
    /// The range selector inside any number of parentheses.
    var unwrappedRange: RangeSelector? {
        switch self {
        case .range(let range): range
        case .parenthesized(let inner, _): inner.unwrappedRange
        case .number, .string, .selector, .unary, .binary, .aggregation, .call: nil
        }
    }
}
