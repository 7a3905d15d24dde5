/// How one selector of an expression is read, and what that touches.
public struct SelectorPlan: Hashable, Sendable {
    public enum Way: String, Hashable, Sendable {
        /// No sample lies in any window.
        case nothing
        /// The newest sample of each window, found by its key.
        case newest
        /// Aggregates that the store keeps, and raw samples at the edges of a window.
        case rollups
        /// Every sample of every window, once.
        case samples
    }

    /// As text, with its window.
    public let selector: String
    /// What is asked of each window: `newest value`, `sum_over_time`.
    public let question: String
    /// How many windows of each series are asked for.
    public let windows: Int
    /// For the series that has most to read.
    public private(set) var way = Way.nothing
    public private(set) var series = 0
    /// In all windows together. By rollups and by keys few of them are touched.
    public private(set) var samples: UInt64 = 0
    /// At most: samples read, and aggregates and keys looked up.
    public private(set) var reads: UInt64 = 0
    private let request: SelectorRequest

    init(_ request: SelectorRequest) {
        self.request = request
        windows = request.ends.isOneMoment ? min(1, request.ends.count) : request.ends.count
        switch request.shape {
        case .latest:
            question = "newest value"
            selector = Formatter.line(.selector(request.selector))
        case .latestTime:
            question = "time of the newest value"
            selector = Formatter.line(.selector(request.selector))
        case .samples:
            question = "samples"
            selector = Self.range(request)
        case .overTime(let function, _):
            question = function.name
            selector = Self.range(request)
        case .grouped(.exact(let function), _):
            question = "\(function) of all"
            selector = Self.range(request)
        case .grouped(.quantile, _):
            question = "quantile of all"
            selector = Self.range(request)
        }
    }

    private static func range(_ request: SelectorRequest) -> String {
        Formatter.line(
            .range(
                RangeSelector(
                    selector: request.selector, rangeMilliseconds: request.windowMilliseconds,
                    place: request.selector.place)))
    }

    /// Series that show alike are read together.
    mutating func add(series count: Int, samples found: UInt64) {
        series += count
        samples += found
        let one = Self.way(request, samples: found)
        switch one {
        case .nothing: return
        case .newest: reads += UInt64(windows * count)
        case .rollups: reads += UInt64(windows * count) * min(found, Self.readsOfRollup(samples: found))
        case .samples: reads += found
        }
        if way == .nothing || one == .samples { way = one }
    }

    /// Windows that hold many samples are answered one by one from what is kept of them; few samples are read once
    /// and the windows slide over them.
    static func way(_ request: SelectorRequest, samples: UInt64) -> Way {
        if samples == 0 { return .nothing }
        guard let summarized = request.shape.summarizedWay else { return .samples }
        let cost = summarized == .newest ? 1 : readsOfRollup(samples: samples)
        return request.ends.isOneMoment || UInt64(request.ends.count) * cost < samples ? summarized : .samples
    }

    /// Two edges of about 32 samples, and two nodes on each level of the hierarchy.
    private static func readsOfRollup(samples: UInt64) -> UInt64 {
        64 + 2 * UInt64(UInt64.bitWidth - samples.leadingZeroBitCount)
    }
}

extension SelectorRequest.Shape {
    /// What of it the store's aggregates answer.
    var exact: ExactFunction? {
        switch self {
        case .latest: .last
        case .overTime(let function, _):
            if case .window(let window) = function.evaluation { window.exact } else { nil }
        case .grouped(.exact(let function), _): function
        case .latestTime, .samples, .grouped(.quantile, _): nil
        }
    }

    /// The way without reading all samples, where there is one.
    var summarizedWay: SelectorPlan.Way? {
        switch self {
        case .latest, .latestTime: .newest
        case .samples: nil
        case .overTime: exact == nil ? nil : .rollups
        case .grouped: .rollups
        }
    }
}
