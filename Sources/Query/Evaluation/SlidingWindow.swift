internal import Ledger

/// Windows of one length that move forward over the samples of a series: each sample enters and leaves once.
struct SlidingWindow {
    /// In order.
    let samples: [Sample]
    let function: ExactFunction
    let windowMilliseconds: Int64

    /// - Parameter ends: ascending.
    func values(endingAt ends: TimeGrid) -> [Double?] {
        var values: [Double?] = []
        values.reserveCapacity(ends.count)
        var first = 0
        var beyond = 0
        var sum: Int128 = 0
        var squares = SquareSum.zero
        // Indexes of samples that may still become the extreme, the extreme first.
        var extremes: [Int] = []
        var extremesStart = 0
        let keepsSquares = function == .variance || function == .deviation
        let keepsExtremes = function == .minimum || function == .maximum
        for end in ends.indices.lazy.map({ ends[$0] }) {
            while beyond < samples.count, samples[beyond].time <= end {
                sum += samples[beyond].value.nanos
                if keepsSquares { squares.add(SquareSum(squareOf: samples[beyond].value.nanos)) }
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
            while first < beyond, samples[first].time <= end - windowMilliseconds {
                sum -= samples[first].value.nanos
                if keepsSquares { squares.subtract(SquareSum(squareOf: samples[first].value.nanos)) }
                first += 1
            }
            while extremesStart < extremes.count, extremes[extremesStart] < first { extremesStart += 1 }
            guard first < beyond else {
                values.append(nil)
                continue
            }
            let extreme = extremesStart < extremes.count ? samples[extremes[extremesStart]].value : .zero
            switch function {
            case .sum: values.append(ExactSum.double(nanos: sum))
            case .mean: values.append(ExactSum.mean(nanos: sum, count: UInt64(beyond - first)))
            case .minimum, .maximum: values.append(extreme.double)
            case .count: values.append(Double(beyond - first))
            case .first: values.append(samples[first].value.double)
            case .last: values.append(samples[beyond - 1].value.double)
            case .present: values.append(1)
            case .variance:
                values.append(
                    ExactVariance.value(count: UInt64(beyond - first), sum: sum, squares: squares))
            case .deviation:
                values.append(
                    ExactVariance.value(count: UInt64(beyond - first), sum: sum, squares: squares)
                        .squareRoot())
            }
        }
        return values
    }

    private func isBeaten(_ old: Quantity, by new: Quantity) -> Bool {
        function == .minimum ? new <= old : new >= old
    }
}
