/// A stretch of event time, in milliseconds since 1970: from `start`, up to and without `end`.
public struct WindowSpan: Hashable, Sendable {
    public let start: Int64
    public let end: Int64

    public init(start: Int64, end: Int64) {
        self.start = start
        self.end = end
    }

    public func contains(_ time: Int64) -> Bool { time >= start && time < end }

    /// The same times as a question to the store names them.
    var asTimeWindow: TimeWindow { TimeWindow(after: start &- 1, through: end &- 1) }
}

/// How event time is cut into windows.
public enum WindowShape: Hashable, Sendable {
    /// Windows of one length that begin at the multiples of `hop` since 1970. Tumbling where the hop is the length.
    case fixed(lengthMilliseconds: Int64, hopMilliseconds: Int64)
    /// One window for each run of events that are less than the gap apart. It ends a gap after its last event.
    case session(gapMilliseconds: Int64)

    /// The fixed windows that hold a moment, ascending; the session of an event that is alone.
    public func spans(holding time: Int64) -> [WindowSpan] {
        switch self {
        case .session(let gap): return [WindowSpan(start: time, end: time + gap)]
        case .fixed(let length, let hop):
            let offset = time % hop
            var start = time - (offset < 0 ? offset + hop : offset)
            var spans: [WindowSpan] = []
            while start > time - length {
                spans.append(WindowSpan(start: start, end: start + length))
                start -= hop
            }
            return spans.reversed()
        }
    }

    /// The sessions that events make.
    ///
    /// - Parameter times: ascending.
    static func sessions(of times: [Int64], gapMilliseconds gap: Int64) -> [WindowSpan] {
        var spans: [WindowSpan] = []
        for time in times {
            if let last = spans.last, time < last.end {
                spans[spans.count - 1] = WindowSpan(start: last.start, end: time + gap)
            } else {
                spans.append(WindowSpan(start: time, end: time + gap))
            }
        }
        return spans
    }
}
