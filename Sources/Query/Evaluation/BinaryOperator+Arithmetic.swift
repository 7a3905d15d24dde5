internal import Glibc

extension BinaryOperator {
    /// The value, and for comparisons whether they hold. IEEE 754 throughout: division by zero is infinite.
    func apply(_ left: Double, _ right: Double) -> (value: Double, holds: Bool) {
        switch self {
        case .add: (left + right, true)
        case .subtract: (left - right, true)
        case .multiply: (left * right, true)
        case .divide: (left / right, true)
        case .modulo: (left.truncatingRemainder(dividingBy: right), true)
        case .power: (pow(left, right), true)
        case .atan2: (Glibc.atan2(left, right), true)
        case .equal: (left, left == right)
        case .notEqual: (left, left != right)
        case .greater: (left, left > right)
        case .less: (left, left < right)
        case .greaterOrEqual: (left, left >= right)
        case .lessOrEqual: (left, left <= right)
        case .and, .or, .unless: (left, true)
        }
    }
}
