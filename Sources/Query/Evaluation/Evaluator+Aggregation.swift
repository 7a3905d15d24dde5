internal import Ledger

/// Aggregations over series.
extension Evaluator {
    struct Group {
        let labels: LabelSet
        var members: [Int]
    }

    mutating func evaluate(_ aggregation: Aggregation) throws(QueryError) -> [Column] {
        if let request = SelectorRequest.answering(aggregation, grid, context) {
            if case .quantile(let bits) = request.shape.grouped, let parameter = aggregation.parameter {
                context.checkQuantile(Double(bitPattern: bits), at: parameter.place)
            }
            switch loaded[request] {
            case .grouped(let columns): return columns
            case .columns(let columns):
                return try aggregated(
                    columns.map { Column(labels: $0.labels.withoutName, values: $0.values) }.distinct(),
                    aggregation
                ) { _, values in aggregation.operator.value(of: values) }
            case .samples, .plan, nil: throw Self.notLoaded
            }
        }
        switch aggregation.operator {
        case .mergedQuantile: return try mergedQuantile(aggregation)
        case .countValues: return try countValues(aggregation)
        case .topk, .bottomk, .limitk, .limitRatio: return try selection(aggregation)
        case .quantile:
            guard let parameter = aggregation.parameter else { throw Self.typeMismatch }
            let ranks = try scalar(parameter)
            for rank in Set(ranks) { context.checkQuantile(rank, at: parameter.place) }
            return try aggregated(aggregation) { step, values in Quantile.value(ranks[step], of: values) }
        case .sum, .avg, .min, .max, .count, .group, .stddev, .stdvar:
            return try aggregated(aggregation) { _, values in aggregation.operator.value(of: values) }
        }
    }

    private mutating func aggregated(
        _ aggregation: Aggregation, _ value: (Int, [Double]) -> Double?
    ) throws(QueryError) -> [Column] {
        try aggregated(try vector(aggregation.argument), aggregation, value)
    }

    private mutating func aggregated(
        _ columns: [Column], _ aggregation: Aggregation, _ value: (Int, [Double]) -> Double?
    ) throws(QueryError) -> [Column] {
        var result: [Column] = []
        for group in Self.groups(of: columns.map(\.labels), aggregation) {
            try context.charge(grid.count)
            var column = Column(labels: group.labels, count: grid.count)
            var values: [Double] = []
            for step in grid.indices {
                values.removeAll(keepingCapacity: true)
                for member in group.members {
                    if let value = columns[member].values[step] { values.append(value) }
                }
                if !values.isEmpty { column.values[step] = value(step, values) }
            }
            if !column.isEmpty { result.append(column) }
        }
        return result
    }

    /// In the order of their first members.
    static func groups(of labelSets: [LabelSet], _ aggregation: Aggregation) -> [Group] {
        let grouping = GroupLabels(
            isWithout: aggregation.isWithout, names: aggregation.labels.map(Self.shownLabel))
        var groups: [Group] = []
        var places: [LabelSet: Int] = [:]
        for (index, all) in labelSets.enumerated() {
            let labels = grouping.labels(of: all)
            if let place = places[labels] {
                groups[place].members.append(index)
            } else {
                places[labels] = groups.count
                groups.append(Group(labels: labels, members: [index]))
            }
        }
        return groups
    }

    // MARK: Values as labels

    private mutating func countValues(_ aggregation: Aggregation) throws(QueryError) -> [Column] {
        guard let parameter = aggregation.parameter else { throw Self.typeMismatch }
        let label = try string(parameter)
        guard !label.isEmpty else {
            throw QueryError(.execution, "invalid label name \(label.goQuoted)")
        }
        let names = aggregation.labels.map(Self.shownLabel)
        var places: [LabelSet: Int] = [:]
        var result: [Column] = []
        for column in try vector(aggregation.argument) {
            try context.checkInterruption()
            for (step, value) in column.values.enumerated() {
                guard let value else { continue }
                // The value becomes a label first, so that `without` can take it away again.
                let all = column.labels.setting(label, to: FloatText.fixed(value))
                let labels =
                    aggregation.isWithout
                    ? all.removing(names + [LabelSet.metricName]) : all.keeping(names + [label])
                let place: Int
                if let known = places[labels] {
                    place = known
                } else {
                    try context.charge(grid.count)
                    place = result.count
                    places[labels] = place
                    result.append(Column(labels: labels, count: grid.count))
                }
                result[place].values[step] = (result[place].values[step] ?? 0) + 1
            }
        }
        return result
    }

    // MARK: Quantiles of samples

    /// The quantile over all samples of all series of a group in each window.
    private mutating func mergedQuantile(_ aggregation: Aggregation) throws(QueryError) -> [Column] {
        guard let parameter = aggregation.parameter else { throw Self.typeMismatch }
        let ranks = try scalar(parameter)
        for rank in Set(ranks) { context.checkQuantile(rank, at: parameter.place) }
        let range = aggregation.argument.unwrapped
        let (ends, milliseconds) = try windows(of: range)
        let points = try matrix(range)
        var result: [Column] = []
        for group in Self.groups(of: points.map(\.labels), aggregation) {
            try context.charge(grid.count)
            var merged = PointColumn(labels: group.labels, times: [], values: [])
            let all = group.members.flatMap { Array(zip(points[$0].times, points[$0].values)) }
                .sorted { $0.0 < $1.0 }
            try context.charge(all.count)
            merged.times = all.map(\.0)
            merged.values = all.map(\.1)
            let quantile = WindowFunction { window throws(QueryError) in
                Quantile.value(window.parameters[0], of: Array(window.values))
            }
            let values = try merged.values(
                of: quantile, windowMilliseconds: milliseconds, ends: ends, moments: grid,
                parameters: { [ranks[$0]] }, context)
            result.append(Column(labels: group.labels, values: values))
        }
        return result.filter { !$0.isEmpty }
    }
}
