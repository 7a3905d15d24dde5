internal import Ledger

/// The samples of a chunk as they are stored, column by column: what sums and windows are made from.
struct SampleColumns {
    let times: [Int64]
    /// Of the values, in units of 10⁻ˢᶜᵃˡᵉ.
    let coefficients: [Int64]
    let scale: UInt8
    /// Where the values do not fit one scale: each one's own.
    let scales: [UInt8]
    /// Empty unless asked for.
    let indexes: [UInt64]
    let positions: [UInt64]

    var count: Int { times.count }

    /// - Parameter samples: in order.
    init(_ samples: [Sample]) {
        let largest = samples.reduce(0) { max($0, $1.value.scale) }
        var common: [Int64] = []
        common.reserveCapacity(samples.count)
        for sample in samples {
            guard let coefficient = sample.value.coefficient(atScale: largest) else { break }
            common.append(coefficient)
        }
        if common.count == samples.count {
            (coefficients, scale, scales) = (common, largest, [])
        } else {
            (coefficients, scale) = (samples.map { $0.value.coefficient }, 0)
            scales = samples.map { $0.value.scale }
        }
        // Key paths would cost more than all the rest.
        times = samples.map { $0.time }
        indexes = samples.map { $0.index.value }
        positions = samples.map { UInt64($0.position) }
    }

    /// The value of a sample. `nil` only in damaged bytes.
    func quantity(_ place: Int) -> Quantity? {
        Quantity(coefficient: coefficients[place], scale: scales.isEmpty ? scale : scales[place])
    }

    func samples() throws(DecodingFailure) -> [Sample] {
        var samples: [Sample] = []
        samples.reserveCapacity(count)
        for place in 0..<count {
            guard let value = quantity(place) else { throw DecodingFailure("no quantity", at: place) }
            samples.append(
                Sample(
                    time: times[place], index: EntryIndex(indexes[place]),
                    position: UInt32(truncatingIfNeeded: positions[place]), value: value))
        }
        return samples
    }
}

extension SampleColumns {
    /// The samples of a window.
    func range(of window: TimeWindow) -> Range<Int> {
        guard let first = times.first, let last = times.last else { return 0..<0 }
        // Most chunks lie inside, or an edge cuts them.
        let start = first > window.after ? 0 : times.partition(after: window.after)
        let end = last <= window.through ? count : times.partition(after: window.through)
        return start..<max(start, end)
    }

    /// The nearest double to a value.
    func double(_ place: Int) -> Double {
        let coefficient = coefficients[place]
        let scale = scales.isEmpty ? scale : scales[place]
        if coefficient.magnitude < 1 << 53 {
            // Both fit a double exactly, and division rounds correctly.
            return Double(coefficient) / Quantity.doublePowersOfTen[Int(min(scale, 9))]
        }
        return quantity(place)?.double ?? .nan
    }

    /// The buckets that some of the values lie in.
    func keys(_ range: Range<Int>) -> [Int32] {
        var keys: [Int32] = []
        keys.reserveCapacity(range.count)
        for place in range { keys.append(LogBuckets.key(of: double(place))) }
        return keys
    }

    func sample(_ place: Int) -> Sample? {
        quantity(place).map {
            Sample(
                time: times[place], index: EntryIndex(indexes[place]),
                position: UInt32(truncatingIfNeeded: positions[place]), value: $0)
        }
    }

    /// What some of the samples amount to. The ends need the places.
    func rollup(_ range: Range<Int>, _ parts: Rollup.Parts) -> Rollup? {
        guard !range.isEmpty else { return nil }
        guard scales.isEmpty else { return mixedRollup(range, parts) }
        var sum: Int128 = 0
        var squares: UInt128 = 0
        var (smallest, largest) = (coefficients[range.lowerBound], coefficients[range.lowerBound])
        if parts.contains(.sum) { for place in range { sum += Int128(coefficients[place]) } }
        if parts.contains(.squares) {
            // Below 10³⁶ each, and a chunk is short: no overflow.
            for place in range {
                let magnitude = UInt128(coefficients[place].magnitude)
                squares &+= magnitude &* magnitude
            }
        }
        if parts.contains(.extremes) {
            for place in range {
                smallest = min(smallest, coefficients[place])
                largest = max(largest, coefficients[place])
            }
        }
        let unit = Quantity.nanos(atScale: scale)
        let nothing = Rollup.unknownEnd
        let hasEnds = parts.contains(.ends)
        return Rollup(
            count: UInt64(range.count), scale: scale, sum: sum &* unit,
            squares: SquareSum(squares, times: UInt128(unit * unit)),
            minimum: Quantity(coefficient: smallest, scale: scale) ?? .zero,
            maximum: Quantity(coefficient: largest, scale: scale) ?? .zero,
            first: hasEnds ? sample(range.lowerBound) ?? nothing : nothing,
            last: hasEnds ? sample(range.upperBound - 1) ?? nothing : nothing)
    }

    private func mixedRollup(_ range: Range<Int>, _ parts: Rollup.Parts) -> Rollup? {
        var total: Rollup?
        for place in range {
            let value = quantity(place) ?? .zero
            let one =
                parts.contains(.ends)
                ? sample(place) : Sample(time: 0, index: EntryIndex(0), position: 0, value: value)
            total = Rollup.joined(total, one.map { Rollup($0) })
        }
        return parts.contains(.ends) ? total : total?.withoutEnds
    }
}

extension [Int64] {
    /// Of ascending numbers: the place of the first above `limit`.
    fileprivate func partition(after limit: Int64) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] > limit { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
