internal import Ledger

/// Operators between two values.
extension Evaluator {
    mutating func evaluate(_ operation: BinaryOperation) throws(QueryError) -> Value {
        let left = try evaluate(operation.left)
        let right = try evaluate(operation.right)
        switch (left, right) {
        case (.scalar(let left), .scalar(let right)):
            return .scalar(
                zip(left, right).map { pair in
                    let (value, keeps) = operation.operator.apply(pair.0, pair.1)
                    return operation.operator.family == .comparison ? (keeps ? 1 : 0) : value
                })
        case (.vector(let columns), .scalar(let scalars)):
            return .vector(try combine(columns, scalars, operation, scalarIsLeft: false))
        case (.scalar(let scalars), .vector(let columns)):
            return .vector(try combine(columns, scalars, operation, scalarIsLeft: true))
        case (.vector(let left), .vector(let right)):
            switch operation.operator.family {
            case .set: return .vector(try combineSets(left, right, operation))
            case .arithmetic, .comparison: return .vector(try match(left, right, operation))
            }
        case (.string, _), (.matrix, _), (_, .string), (_, .matrix): throw Self.typeMismatch
        }
    }

    private mutating func combine(
        _ columns: [Column], _ scalars: [Double], _ operation: BinaryOperation, scalarIsLeft: Bool
    ) throws(QueryError) -> [Column] {
        let isComparison = operation.operator.family == .comparison
        var result: [Column] = []
        for column in columns {
            try context.charge(column.values.count)
            let values = zip(column.values, scalars).map { value, scalar -> Double? in
                guard let value else { return nil }
                let (computed, keeps) =
                    scalarIsLeft
                    ? operation.operator.apply(scalar, value) : operation.operator.apply(value, scalar)
                if operation.returnsBool { return keeps ? 1 : 0 }
                // A comparison keeps the vector's value, on whichever side it stands.
                if isComparison { return keeps ? value : nil }
                return computed
            }
            let keepsName = isComparison && !operation.returnsBool
            result.append(
                Column(labels: keepsName ? column.labels : column.labels.withoutName, values: values))
        }
        return try result.joined()
    }

    // MARK: Matching

    /// The labels by which the series of both sides find each other.
    private func signature(_ labels: LabelSet, _ matching: VectorMatching) -> LabelSet {
        let names = matching.labels.map(Self.shownLabel)
        return matching.isOn ? labels.keeping(names) : labels.removing(names + [LabelSet.metricName])
    }

    private func combineSets(
        _ left: [Column], _ right: [Column], _ operation: BinaryOperation
    ) throws(QueryError) -> [Column] {
        func presence(_ columns: [Column]) -> [LabelSet: [Bool]] {
            var present: [LabelSet: [Bool]] = [:]
            for column in columns {
                let key = signature(column.labels, operation.matching)
                var steps = present[key] ?? Array(repeating: false, count: column.values.count)
                for (step, value) in column.values.enumerated() where value != nil { steps[step] = true }
                present[key] = steps
            }
            return present
        }
        func filter(_ columns: [Column], by present: [LabelSet: [Bool]], keeping wanted: Bool) -> [Column] {
            columns.map { column in
                let steps = present[signature(column.labels, operation.matching)]
                var column = column
                for step in column.values.indices where (steps?[step] ?? false) != wanted {
                    column.values[step] = nil
                }
                return column
            }
        }
        try context.checkInterruption()
        let result: [Column]
        switch operation.operator {
        case .and: result = filter(left, by: presence(right), keeping: true)
        case .unless: result = filter(left, by: presence(right), keeping: false)
        case .or: result = left + filter(right, by: presence(left), keeping: false)
        case .add, .subtract, .multiply, .divide, .modulo, .power, .atan2, .equal, .notEqual, .greater, .less,
            .greaterOrEqual, .lessOrEqual:
            throw Self.typeMismatch
        }
        return try result.joined()
    }

    private mutating func match(
        _ left: [Column], _ right: [Column], _ operation: BinaryOperation
    ) throws(QueryError) -> [Column] {
        let matching = operation.matching
        let manyIsLeft = matching.cardinality != .oneToMany
        let (many, one) = manyIsLeft ? (left, right) : (right, left)
        // A moment at which the other side is empty has no answer, and no quarrel about it.
        let isAsked = Self.present(in: many, grid.count)
        let singles = try uniqueSide(one, matching, isRight: manyIsLeft, isAsked)

        var result: [Column] = []
        // What each match group has got already, for each moment.
        var used: [LabelSet: [Bool]] = [:]
        for column in many {
            let key = signature(column.labels, matching)
            guard let members = singles[key] else { continue }
            for partner in members {
                try context.charge(column.values.count)
                let labels = resultLabels(column.labels, partner.labels, operation)
                let usedKey = matching.cardinality == .oneToOne ? key : labels
                var usedSteps = used[usedKey] ?? Array(repeating: false, count: column.values.count)
                var values: [Double?] = Array(repeating: nil, count: column.values.count)
                for step in values.indices {
                    guard let first = column.values[step], let second = partner.values[step] else { continue }
                    guard let value = operation.value(manyIsLeft ? (first, second) : (second, first)) else {
                        continue
                    }
                    guard !usedSteps[step] else { throw Self.ambiguous(matching.cardinality) }
                    usedSteps[step] = true
                    values[step] = value
                }
                used[usedKey] = usedSteps
                result.append(Column(labels: labels, values: values))
            }
        }
        return try result.joined()
    }

    private static func present(in columns: [Column], _ count: Int) -> [Bool] {
        var present = Array(repeating: false, count: count)
        for column in columns {
            for (step, value) in column.values.enumerated() where value != nil { present[step] = true }
        }
        return present
    }

    private static func ambiguous(_ cardinality: VectorMatching.Cardinality) -> QueryError {
        switch cardinality {
        case .oneToOne:
            QueryError(
                .execution,
                "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)")
        case .manyToOne, .oneToMany:
            QueryError(.execution, "multiple matches for labels: grouping labels must ensure unique matches")
        }
    }

    /// The side of which each group may hold one value at a moment.
    private func uniqueSide(
        _ columns: [Column], _ matching: VectorMatching, isRight: Bool, _ isAsked: [Bool]
    ) throws(QueryError) -> [LabelSet: [Column]] {
        var groups: [LabelSet: [Column]] = [:]
        for column in columns {
            let key = signature(column.labels, matching)
            for other in groups[key] ?? [] {
                let isAmbiguous = isAsked.indices.contains { step in
                    isAsked[step] && column.values[step] != nil && other.values[step] != nil
                }
                guard isAmbiguous else { continue }
                throw QueryError(
                    .execution,
                    "found duplicate series for the match group \(key.braced) on the \(isRight ? "right" : "left") "
                        + "hand-side of the operation: [\(column.labels.braced), \(other.labels.braced)];"
                        + "many-to-many matching not allowed: matching labels must be unique on one side")
            }
            groups[key, default: []].append(column)
        }
        return groups
    }

    private func resultLabels(_ many: LabelSet, _ one: LabelSet, _ operation: BinaryOperation) -> LabelSet {
        let matching = operation.matching
        let dropsName = operation.operator.family == .arithmetic || operation.returnsBool
        var labels = dropsName ? many.withoutName : many
        let names = matching.labels.map(Self.shownLabel)
        switch matching.cardinality {
        case .oneToOne: return matching.isOn ? labels.keeping(names) : labels.removing(names)
        case .manyToOne, .oneToMany:
            for name in matching.include.map(Self.shownLabel) {
                labels = labels.setting(name, to: one[name] ?? "")
            }
            return labels
        }
    }
}

extension BinaryOperation {
    /// `nil` where a comparison drops the pair.
    fileprivate func value(_ pair: (Double, Double)) -> Double? {
        let (computed, keeps) = `operator`.apply(pair.0, pair.1)
        if returnsBool { return keeps ? 1 : 0 }
        return `operator`.family == .comparison ? (keeps ? pair.0 : nil) : computed
    }
}

extension LabelSet {
    /// With the name among the labels, as Prometheus prints them in these messages.
    fileprivate var braced: String {
        "{" + labels.map { "\($0.name)=\($0.value.goQuoted)" }.joined(separator: ", ") + "}"
    }
}
