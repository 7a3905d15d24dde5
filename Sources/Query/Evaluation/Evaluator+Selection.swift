internal import Ledger

/// Aggregations that keep some of the series as they are: `topk`, `bottomk`, `limitk`, `limit_ratio`.
extension Evaluator {
    mutating func selection(_ aggregation: Aggregation) throws(QueryError) -> [Column] {
        guard let parameter = aggregation.parameter else { throw Self.typeMismatch }
        let parameters = try scalar(parameter)
        let columns = try vector(aggregation.argument)
        let groups = Self.groups(of: columns.map(\.labels), aggregation)
        var result = columns.map { Column(labels: $0.labels, count: grid.count) }
        // Within a group the best of the first moment comes first; that is the order of an instant query.
        var order: [Int] = []
        for group in groups {
            try context.checkInterruption()
            var firstKept: [Int] = []
            for step in grid.indices {
                let present = group.members.filter { columns[$0].values[step] != nil }
                if present.isEmpty { continue }
                let kept = try Self.kept(
                    present, columns, step, aggregation.operator, parameters[step])
                for member in kept { result[member].values[step] = columns[member].values[step] }
                if step == 0 { firstKept = kept }
            }
            order += firstKept + group.members.filter { !firstKept.contains($0) }
        }
        return order.map { result[$0] }.filter { !$0.isEmpty }
    }

    /// Those of `members` that an operator keeps at a step, the best first.
    private static func kept(
        _ members: [Int], _ columns: [Column], _ step: Int, _ aggregator: Aggregator, _ parameter: Double
    ) throws(QueryError) -> [Int] {
        switch aggregator {
        case .topk, .bottomk:
            let count = try count(parameter)
            let ordered = members.sorted { left, right in
                let first = columns[left].values[step] ?? .nan
                let second = columns[right].values[step] ?? .nan
                if first.isNaN || second.isNaN {
                    // Not-a-number is the worst, whichever end is wanted; members in order otherwise.
                    return first.isNaN == second.isNaN ? left < right : second.isNaN
                }
                if first == second { return left < right }
                return aggregator == .topk ? first > second : first < second
            }
            return Array(ordered.prefix(count))
        case .limitk: return Array(members.prefix(try count(parameter)))
        case .limitRatio:
            guard !parameter.isNaN else { throw QueryError(.execution, "Ratio value is NaN") }
            let ratio = min(1, max(-1, parameter))
            return members.filter { member in
                let place = columns[member].labels.ratioPlace
                // The same series for 0.3 as those that -0.7 leaves out.
                return ratio >= 0 ? place < ratio : place >= 1 + ratio
            }
        case .sum, .avg, .min, .max, .count, .group, .stddev, .stdvar, .quantile, .countValues,
            .mergedQuantile:
            throw typeMismatch
        }
    }

    private static func count(_ parameter: Double) throws(QueryError) -> Int {
        guard !parameter.isNaN else { throw QueryError(.execution, "Parameter value is NaN") }
        guard parameter < 0x1p63 else {
            throw QueryError(
                .execution, "Scalar value \(FloatText.sample(parameter)) overflows int64")
        }
        guard parameter >= -0x1p63 else {
            throw QueryError(
                .execution, "Scalar value \(FloatText.sample(parameter)) underflows int64")
        }
        return max(0, Int(parameter))
    }
}

extension LabelSet {
    /// A number in `0..<1` that depends on the labels alone (FNV-1a).
    fileprivate var ratioPlace: Double {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for label in labels {
            for byte in label.name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            hash = (hash ^ 0xFF) &* 0x100_0000_01b3
            for byte in label.value.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            hash = (hash ^ 0xFE) &* 0x100_0000_01b3
        }
        // The last steps of a better hash spread the last bytes over the whole number.
        hash ^= hash >> 33
        hash = hash &* 0xff51_afd7_ed55_8ccd
        hash ^= hash >> 33
        return Double(hash >> 11) * 0x1p-53
    }
}
