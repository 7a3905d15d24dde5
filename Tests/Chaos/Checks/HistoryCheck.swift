/// Whether the appends of a history are those of one log that grows at its end, as if each took effect at one moment
/// between its sending and its acknowledgement: linearizability of an append-only register.
///
/// Since every append returns its place, no search is needed. The order of the indexes is the only candidate, and it is
/// one if no entry lies before another that was acknowledged before the first was sent.
public struct HistoryCheck {
    private let appends: [Append]

    public init(_ appends: [Append]) { self.appends = appends }

    /// - Returns: What does not hold, a line for each.
    public var findings: [String] { twice + disorder }

    private var acknowledged: [(index: UInt64, append: Append, at: Duration)] {
        appends.compactMap { append in
            guard let index = append.index, let at = append.acknowledged else { return nil }
            return (index, append, at)
        }.sorted { $0.index < $1.index }
    }

    /// Two documents at one place.
    private var twice: [String] {
        let sorted = acknowledged
        return zip(sorted, sorted.dropFirst()).compactMap { one, next in
            guard one.index == next.index else { return nil }
            return
                "documents \(one.append.number) and \(next.append.number) were both acknowledged at index \(one.index)"
        }
    }

    private var disorder: [String] {
        var findings: [String] = []
        // Of all entries behind the one in hand, the one that was acknowledged first.
        var earliest: (index: UInt64, append: Append, at: Duration)?
        for one in acknowledged.reversed() {
            if let earliest, earliest.at < one.append.sent {
                findings.append(
                    """
                    not linearizable: document \(earliest.append.number) was acknowledged at \(earliest.at.text) with \
                    index \(earliest.index), before document \(one.append.number) was sent at \
                    \(one.append.sent.text), which got index \(one.index)
                    """)
            }
            if earliest.map({ one.at < $0.at }) ?? true { earliest = one }
        }
        return findings.reversed()
    }
}
