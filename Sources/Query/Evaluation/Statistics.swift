/// The φ-quantile as Prometheus computes it: between two values in proportion.
enum Quantile {
    /// Not-a-number counts as less than every number.
    static func value(_ rank: Double, of values: [Double]) -> Double {
        guard !values.isEmpty, !rank.isNaN else { return .nan }
        if rank < 0 { return -.infinity }
        if rank > 1 { return .infinity }
        let sorted = values.sorted { $0 < $1 || ($0.isNaN && !$1.isNaN) }
        let place = rank * Double(sorted.count - 1)
        let lower = max(0, place.rounded(.down))
        let upper = min(Double(sorted.count - 1), lower + 1)
        let weight = place - place.rounded(.down)
        return sorted[Int(lower)] * (1 - weight) + sorted[Int(upper)] * weight
    }
}

/// A mean of doubles that does not leave their range as long as the values stay in it.
enum Mean {
    static func value(of values: some Collection<Double>) -> Double {
        let count = Double(values.count)
        var sum = CompensatedSum()
        for value in values { sum.add(value) }
        let total = sum.value
        if total.isFinite || !values.allSatisfy(\.isFinite) { return total / count }
        var scaled = CompensatedSum()
        for value in values { scaled.add(value / count) }
        return scaled.value
    }
}

/// The variance of a population, value by value. Source: B. P. Welford, "Note on a method for calculating corrected
/// sums of squares and products".
enum Variance {
    static func value(of values: some Collection<Double>) -> Double {
        var count = 0.0
        var mean = CompensatedSum()
        var squares = CompensatedSum()
        for value in values {
            count += 1
            let distance = value - mean.value
            mean.add(distance / count)
            squares.add(distance * (value - mean.value))
        }
        return squares.value / count
    }
}

/// A sum of doubles that keeps what rounding cuts off.
/// Source: A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen".
struct CompensatedSum {
    private var sum = 0.0
    private var rest = 0.0

    mutating func add(_ value: Double) {
        let total = sum + value
        if total.isInfinite {
            rest = 0
        } else if sum.magnitude >= value.magnitude {
            rest += (sum - total) + value
        } else {
            rest += (value - total) + sum
        }
        sum = total
    }

    var value: Double { sum.isInfinite ? sum : sum + rest }

    static func of(_ values: some Sequence<Double>) -> Double {
        var sum = CompensatedSum()
        for value in values { sum.add(value) }
        return sum.value
    }
}

extension Sequence<Double> {
    /// The least, or the greatest with `>`; not-a-number loses against any number.
    func extreme(_ isBetter: (Double, Double) -> Bool) -> Double? {
        var best: Double?
        for value in self where best.map({ isBetter(value, $0) || $0.isNaN }) ?? true { best = value }
        return best
    }
}

extension Aggregator {
    /// Of at least one value.
    func value(of values: [Double]) -> Double? {
        switch self {
        case .sum: CompensatedSum.of(values)
        case .avg: Mean.value(of: values)
        case .min: values.extreme(<)
        case .max: values.extreme(>)
        case .count: Double(values.count)
        case .group: 1
        case .stddev: Variance.value(of: values).squareRoot()
        case .stdvar: Variance.value(of: values)
        case .topk, .bottomk, .quantile, .limitk, .countValues, .limitRatio, .mergedQuantile: nil
        }
    }
}
