internal import Ledger

/// Windows of one length that move forward over the samples of a series: each sample enters and leaves once.
struct SlidingWindow {
    /// In order.
    let samples: [Sample]
    let request: SelectorRequest

    /// - Parameter ends: ascending.
    func values(endingAt ends: [Int64]) -> [Double?] {
        var values: [Double?] = []
        values.reserveCapacity(ends.count)
        var first = 0
        var beyond = 0
        var sum: Int128 = 0
        // Indexes of samples that may still become the extreme, the extreme first.
        var extremes: [Int] = []
        var extremesStart = 0
        let keepsExtremes = keepsMinimum || keepsMaximum
        for end in ends {
            let window = request.window(endingAt: end)
            while beyond < samples.count, samples[beyond].time <= window.through {
                sum += samples[beyond].value.nanos
                if keepsExtremes {
                    while extremes.count > extremesStart, let last = extremes.last,
                        isBeaten(samples[last].value, by: samples[beyond].value)
                    {
                        extremes.removeLast()
                    }
                    extremes.append(beyond)
                }
                beyond += 1
            }
            while first < beyond, samples[first].time <= window.after {
                sum -= samples[first].value.nanos
                first += 1
            }
            while extremesStart < extremes.count, extremes[extremesStart] < first { extremesStart += 1 }
            guard first < beyond else {
                values.append(nil)
                continue
            }
            let extreme = extremesStart < extremes.count ? samples[extremes[extremesStart]].value : .zero
            values.append(
                value(sum: sum, count: beyond - first, last: samples[beyond - 1].value, extreme: extreme))
        }
        return values
    }

    private func value(sum: Int128, count: Int, last: Quantity, extreme: Quantity) -> Double {
        switch request.shape {
        case .latest, .samples: last.double
        case .overTime(let function):
            switch function {
            case .sumOverTime: ExactSum.double(nanos: sum)
            case .avgOverTime: ExactSum.mean(nanos: sum, count: UInt64(count))
            case .minOverTime, .maxOverTime: extreme.double
            case .countOverTime: Double(count)
            }
        }
    }

    private var keepsMinimum: Bool { request.shape == .overTime(.minOverTime) }
    private var keepsMaximum: Bool { request.shape == .overTime(.maxOverTime) }

    private func isBeaten(_ old: Quantity, by new: Quantity) -> Bool {
        keepsMinimum ? new <= old : new >= old
    }
}
