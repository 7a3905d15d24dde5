/// The keys of the samples in each of a number of windows, gathered piece by piece, so that a quantile of each can be
/// picked. A sample is in as many windows as hold it.
struct WindowKeys {
    private let ends: TimeGrid
    private let lengthMilliseconds: Int64
    private var keys: [Int32] = []
    /// What one piece brought to one window: side by side in `keys`.
    private var runs: [(window: Int, start: Int)] = []

    init(endingAt ends: TimeGrid, lengthMilliseconds: Int64, count: Int) {
        self.ends = ends
        self.lengthMilliseconds = lengthMilliseconds
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
                runs.append((window, keys.count))
                keys.append(contentsOf: newKeys[low - shift..<high - shift])
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
        var pieces = runs.indices.map { place in
            (
                window: runs[place].window,
                range: runs[place].start..<(place + 1 < runs.count ? runs[place + 1].start : keys.count)
            )
        }
        if zip(pieces, pieces.dropFirst()).contains(where: { $0.window > $1.window }) {
            pieces.sort { $0.window < $1.window }
        }
        var values = [Double?](repeating: nil, count: ends.count)
        var place = 0
        while place < pieces.count {
            let window = pieces[place].window
            var next = place + 1
            while next < pieces.count, pieces[next].window == window { next += 1 }
            if next == place + 1 {
                values[window] = LogBuckets.value(atRank: rank, ofKeys: &keys, pieces[place].range)
            } else {
                var all = pieces[place..<next].flatMap { keys[$0.range] }
                values[window] = LogBuckets.value(atRank: rank, ofKeys: &all, all.indices)
            }
            place = next
        }
        return values
    }
}
