/// A set of characters, as ranges of code points.
struct ScalarSet: Hashable, Sendable {
    /// Ascending, with gaps between them.
    let ranges: [ClosedRange<UInt32>]
    let isNegated: Bool
    /// Upper and lower case are one.
    let foldsCase: Bool

    static let any = ScalarSet(ranges: [0...0x10FFFF])
    static let anyButNewline = ScalarSet(ranges: [0...0x09, 0x0B...0x10FFFF])
    static let digits: [ClosedRange<UInt32>] = [0x30...0x39]
    static let word: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]
    static let space: [ClosedRange<UInt32>] = [0x09...0x0A, 0x0C...0x0D, 0x20...0x20]

    init(ranges: [ClosedRange<UInt32>], isNegated: Bool = false, foldsCase: Bool = false) {
        self.ranges = ranges.count > 1 ? Self.merged(ranges) : ranges
        self.isNegated = isNegated
        self.foldsCase = foldsCase
    }

    init(_ scalar: Unicode.Scalar, foldsCase: Bool) {
        self.init(
            ranges: [scalar.value...scalar.value],
            foldsCase: foldsCase && Self.cases(of: scalar) != [scalar.value])
    }

    /// The one member, where there is one.
    var single: Unicode.Scalar? {
        guard !isNegated, !foldsCase, ranges.count == 1, ranges[0].count == 1 else { return nil }
        return Unicode.Scalar(ranges[0].lowerBound)
    }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        var found = hasRange(with: scalar.value)
        if !found, foldsCase { found = Self.cases(of: scalar).contains(where: hasRange) }
        return found != isNegated
    }

    /// Classes of Unicode have hundreds of ranges: the one that may hold the value is found by halving.
    private func hasRange(with value: UInt32) -> Bool {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < value { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].lowerBound <= value
    }

    /// The same values in ascending ranges with gaps between them.
    static func merged(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        let isMerged = zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound + 1 < $1.lowerBound }
        // Sets of one class then share one place in memory.
        if isMerged { return ranges }
        var result: [ClosedRange<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = result.last, range.lowerBound <= last.upperBound + 1 {
                result[result.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }

    /// With the other case of each.
    static func folded(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        let others = ranges.joined().flatMap { Unicode.Scalar($0).map(cases) ?? [] }
        return merged(ranges + others.map { $0...$0 })
    }

    /// The ranges of everything outside `ranges`.
    static func complement(of ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { result.append(next...range.lowerBound - 1) }
            next = max(next, range.upperBound + 1)
        }
        if next <= 0x10FFFF { result.append(next...0x10FFFF) }
        return result
    }

    /// The scalar with its lower and upper case.
    private static func cases(of scalar: Unicode.Scalar) -> [UInt32] {
        if scalar.isASCII {
            let isCased = UInt8(ascii: scalar).isLetter && scalar != "_"
            return isCased ? [scalar.value, scalar.value ^ 0x20] : [scalar.value]
        }
        var values = [scalar.value]
        for mapping in [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping] {
            let scalars = mapping.unicodeScalars
            if scalars.count == 1, let mapped = scalars.first, mapped != scalar {
                values.append(mapped.value)
            }
        }
        return values
    }
}
