internal import Ledger

/// A function of a window that rollups answer as well as the samples do, to the last bit.
enum ExactFunction: CaseIterable, Hashable, Sendable {
    case sum, mean, minimum, maximum, count, first, last, present, variance, deviation

    /// What of a rollup it looks at.
    var parts: Rollup.Parts {
        switch self {
        case .count, .present: []
        case .sum, .mean: .sum
        case .minimum, .maximum: .extremes
        case .first, .last: .ends
        case .variance, .deviation: [.sum, .squares]
        }
    }

    func value(of rollup: Rollup) -> Double {
        switch self {
        case .sum: ExactSum.double(nanos: rollup.sum)
        case .mean: ExactSum.mean(nanos: rollup.sum, count: rollup.count)
        case .minimum: rollup.minimum.double
        case .maximum: rollup.maximum.double
        case .count: Double(rollup.count)
        case .first: rollup.first.value.double
        case .last: rollup.last.value.double
        case .present: 1
        case .variance:
            ExactVariance.value(count: rollup.count, sum: rollup.sum, squares: rollup.squares)
        case .deviation:
            ExactVariance.value(count: rollup.count, sum: rollup.sum, squares: rollup.squares).squareRoot()
        }
    }
}
