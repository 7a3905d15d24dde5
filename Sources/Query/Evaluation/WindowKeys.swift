/// The keys of the samples in each of a number of windows, gathered piece by piece, so that a quantile of each can be
/// picked. A sample is in as many windows as hold it.
struct WindowKeys {
    private let ends: TimeGrid
    private let lengthMilliseconds: Int64
    private var keys: [Int32] = []
    private var runs: [Run] = []
    /// For each window the run that was added last, by its place in `runs`.
    private var newest: [Int?]

    /// What one piece brought to one window.
    private struct Run {
        /// In `keys`.
        let range: Range<Int>
        /// The run of the same window before it.
        let before: Int?
    }

    init(endingAt ends: TimeGrid, lengthMilliseconds: Int64, count: Int) {
        self.ends = ends
        self.lengthMilliseconds = lengthMilliseconds
        newest = Array(repeating: nil, count: ends.count)
        keys.reserveCapacity(count)
    }

    /// - Parameter times: ascending, one for each key.
    mutating func add(_ times: ArraySlice<Int64>, _ newKeys: [Int32]) {
        guard let earliest = times.first else { return }
        let shift = times.startIndex
        var (low, high) = (times.startIndex, times.startIndex)
        var window = firstWindow(endingAtOrAfter: earliest)
        while window < ends.count {
            let end = ends[window]
            while high < times.endIndex, times[high] <= end { high += 1 }
            while low < high, times[low] <= end - lengthMilliseconds { low += 1 }
            if low < high {
                let start = keys.count
                keys.append(contentsOf: newKeys[low - shift..<high - shift])
                runs.append(Run(range: start..<keys.count, before: newest[window]))
                newest[window] = runs.count - 1
                window += 1
            } else if high < times.endIndex {
                window = max(window + 1, firstWindow(endingAtOrAfter: times[high]))
            } else {
                return
            }
        }
    }

    private func firstWindow(endingAtOrAfter time: Int64) -> Int {
        let distance = time - ends[0]
        guard distance > 0, ends.stepMilliseconds > 0 else { return distance > 0 ? ends.count : 0 }
        return Int(clamping: (distance - 1) / ends.stepMilliseconds + 1)
    }

    /// The quantile of each window; `nil` for one without samples.
    mutating func values(atRank rank: Double) -> [Double?] {
        var together: [Int32] = []
        return newest.map { last in
            guard let last else { return nil }
            guard runs[last].before != nil else {
                return LogBuckets.value(atRank: rank, ofKeys: &keys, runs[last].range)
            }
            together.removeAll(keepingCapacity: true)
            var next: Int? = last
            while let place = next {
                together.append(contentsOf: keys[runs[place].range])
                next = runs[place].before
            }
            return LogBuckets.value(atRank: rank, ofKeys: &together, together.indices)
        }
    }
}
