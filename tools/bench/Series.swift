/// One figure, taken once a round.
struct Series: Sendable {
    private(set) var values: [Double] = []

    mutating func add(_ value: Double) { values.append(value) }

    var minimum: Double { values.min() ?? .nan }
    var maximum: Double { values.max() ?? .nan }

    var median: Double {
        let sorted = values.sorted()
        guard let last = sorted.indices.last else { return .nan }
        return (sorted[last / 2] + sorted[(last + 1) / 2]) / 2
    }

    /// Round by round, as noise of the machine meets both alike.
    func ratio(to floor: Series) -> Series {
        Series(values: zip(values, floor.values).map { $0 / $1 })
    }

    /// Round by round, too.
    func less(_ other: Series) -> Series {
        Series(values: zip(values, other.values).map { $0 - $1 })
    }

    init(values: [Double] = []) { self.values = values }
}

extension [Double] {
    /// The value that `share` of all are at most.
    func percentile(_ share: Double) -> Double {
        let sorted = sorted()
        guard !sorted.isEmpty else { return .nan }
        return sorted[Swift.min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
    var microseconds: Double { seconds * 1e6 }
}

/// How long `body` takes.
func seconds<Result>(_ body: () throws -> Result) rethrows -> Double {
    let start = ContinuousClock.now
    _ = try body()
    return (ContinuousClock.now - start).seconds
}
