/// The counts of a classic histogram at one moment: how many values were at most each bound.
///
/// - Source: Prometheus, `BucketQuantile` and `BucketFraction`.
struct HistogramBuckets {
    private var buckets: [(bound: Double, count: Double)] = []

    var isEmpty: Bool { buckets.isEmpty }

    mutating func add(_ bound: Double, _ count: Double) { buckets.append((bound, count)) }

    /// Linear within a bucket; the lowest begins at 0 where its bound is above it, of the highest its lower end.
    mutating func quantile(_ rank: Double) -> Double {
        if rank.isNaN { return .nan }
        if rank < 0 { return -.infinity }
        if rank > 1 { return .infinity }
        guard prepare() else { return .nan }
        let observations = buckets[buckets.count - 1].count
        guard observations != 0, !observations.isNaN else { return .nan }
        var place = rank * observations
        let index = buckets.dropLast().firstIndex { $0.count >= place } ?? buckets.count - 1
        if index == buckets.count - 1 { return buckets[buckets.count - 2].bound }
        if index == 0, buckets[0].bound <= 0 { return buckets[0].bound }
        var start = 0.0
        var count = buckets[index].count
        if index > 0 {
            start = buckets[index - 1].bound
            count -= buckets[index - 1].count
            place -= buckets[index - 1].count
        }
        return start + (buckets[index].bound - start) * (place / count)
    }

    /// The part of the values between two bounds.
    mutating func fraction(from lower: Double, to upper: Double) -> Double {
        guard prepare() else { return .nan }
        let observations = buckets[buckets.count - 1].count
        if observations == 0 || observations.isNaN || lower.isNaN || upper.isNaN { return .nan }
        if lower >= upper { return 0 }
        return (rank(of: upper) - rank(of: lower)) / observations
    }

    /// How many values are at most `value`, linear within a bucket.
    private func rank(of value: Double) -> Double {
        var lowerBound = -Double.infinity
        var rank = 0.0
        for (index, bucket) in buckets.enumerated() {
            if index == 0, bucket.bound > 0 { lowerBound = 0 }
            if lowerBound >= value { return rank }
            if value < bucket.bound {
                // Of a bucket without an end nothing is known but its limit.
                guard lowerBound.isFinite else { return rank }
                guard bucket.bound.isFinite else { return rank }
                return rank + (bucket.count - rank) * (value - lowerBound) / (bucket.bound - lowerBound)
            }
            rank = bucket.count
            lowerBound = bucket.bound
        }
        return rank
    }

    /// Sorts, adds up equal bounds, and takes away decreases; false for what is no histogram.
    private mutating func prepare() -> Bool {
        buckets.sort { $0.bound < $1.bound }
        guard let last = buckets.last, last.bound == .infinity else { return false }
        var merged: [(bound: Double, count: Double)] = []
        for bucket in buckets {
            if let previous = merged.last, previous.bound == bucket.bound {
                merged[merged.count - 1].count += bucket.count
            } else {
                merged.append(bucket)
            }
        }
        guard merged.count >= 2 else { return false }
        var greatest = merged[0].count
        for index in merged.indices.dropFirst() {
            let count = merged[index].count
            // What differs by rounding only is equal.
            if (count - greatest).magnitude / count <= 1e-12 || count < greatest {
                merged[index].count = greatest
            } else {
                greatest = count
            }
        }
        buckets = merged
        return true
    }
}
