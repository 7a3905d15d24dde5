internal import Ledger

/// Functions, by the way they are evaluated.
extension Evaluator {
    mutating func evaluate(_ call: Call) throws(QueryError) -> Value {
        switch call.function.evaluation {
        case .map(let function):
            return .vector(try mapped(call.arguments[0]) { _, value in function(value) })
        case .date(let function):
            guard let argument = call.arguments.first else {
                let values = grid.indices.map { step -> Double? in
                    CivilTime(secondsSince1970: Double(grid[step] / 1000)).map(function)
                }
                return .vector([Column(labels: .empty, values: values)])
            }
            return .vector(
                try mapped(argument) { _, value in
                    CivilTime(secondsSince1970: value).map(function) ?? .nan
                })
        case .window(let function): return .vector(try evaluate(call, function))
        case .whole(let function): return try function(&self, call)
        }
    }

    /// Each value of a vector by itself, with its step; the metric name goes.
    mutating func mapped(
        _ argument: Expression, _ function: (Int, Double) -> Double?
    ) throws(QueryError) -> [Column] {
        var columns = try vector(argument)
        for index in columns.indices {
            try context.checkInterruption()
            columns[index].labels = columns[index].labels.withoutName
            for (step, value) in columns[index].values.enumerated() {
                columns[index].values[step] = value.flatMap { function(step, $0) }
            }
        }
        return try columns.joined()
    }

    private mutating func evaluate(_ call: Call, _ function: WindowFunction) throws(QueryError) -> [Column] {
        guard let (range, parameters) = call.windowArguments else { throw Self.typeMismatch }
        call.annotate(&context, range: range)
        if let request = SelectorRequest.answering(call, grid, context) {
            return try columns(request).named(function).distinct()
        }
        var scalars: [[Double]] = []
        for parameter in parameters { scalars.append(try scalar(parameter)) }
        let (ends, milliseconds) = try windows(of: range)
        var result: [Column] = []
        for points in try matrix(range) {
            try context.charge(grid.count)
            let values = try points.values(
                of: function, windowMilliseconds: milliseconds, ends: ends, moments: grid,
                parameters: { step in scalars.map { $0[step] } }, context)
            result.append(Column(labels: points.labels, values: values))
        }
        return try result.named(function).distinct()
    }

    /// Where the windows of a range vector end, and how long they are.
    func windows(of range: Expression) throws(QueryError) -> (ends: TimeGrid, milliseconds: Int64) {
        switch range {
        case .range(let selector):
            (grid.shifted(by: selector.selector.shift.resolved(in: context)), selector.rangeMilliseconds)
        case .subquery(let subquery):
            (grid.shifted(by: subquery.shift.resolved(in: context)), subquery.rangeMilliseconds)
        case .number, .string, .selector, .parenthesized, .unary, .binary, .aggregation, .call:
            throw Self.typeMismatch
        }
    }
}

extension [Column] {
    fileprivate func named(_ function: WindowFunction) -> [Column] {
        if function.keepsName { return self }
        return map { Column(labels: $0.labels.withoutName, values: $0.values) }
    }
}

extension Call {
    /// Tells of what is probably a mistake.
    fileprivate func annotate(_ context: inout QueryContext, range: Expression) {
        switch function.name {
        case "rate", "increase", "irate", "resets":
            guard function.name != "resets", case .range(let selector) = range,
                let name = selector.selector.name,
                !["_total", "_sum", "_count", "_bucket"].contains(where: name.hasSuffix)
            else { return }
            context.inform(
                "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "
                    + name.goQuoted, at: range.place)
        case "quantile_over_time":
            guard case .number(let literal)? = arguments.first?.unwrapped else { return }
            context.checkQuantile(literal.value, at: literal.place)
        default: return
        }
    }
}

extension QueryContext {
    mutating func checkQuantile(_ value: Double, at place: TextRange) {
        guard !(value >= 0 && value <= 1) else { return }
        warn("quantile value should be between 0 and 1, got \(FloatText.fixed(value))", at: place)
    }
}
