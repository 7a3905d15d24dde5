internal import Ledger

/// A function of a window that rollups answer as well as the samples do, to the last bit.
enum ExactFunction: Hashable, Sendable {
    case sum, mean, minimum, maximum, count, first, last, present

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
        }
    }
}
