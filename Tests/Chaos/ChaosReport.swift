/// What a run did, and what it found.
public struct ChaosReport: Sendable {
    /// A fault, or several at a time, as it was seen from outside.
    public struct Passed: Sendable {
        public let episode: Episode
        public let nodes: [Int]
        public let began: Duration
        public let ended: Duration
        /// Whether more nodes were at fault than may be.
        public let isBeyond: Bool
        /// From the beginning of the fault to the first receipt for a document that was sent after it.
        public internal(set) var firstAcknowledgement: Duration?
        /// From its end, nodes having been started again, to the first receipt for a document that was sent after that.
        public internal(set) var resumed: Duration?
        /// The longest time without a receipt that it had a part in.
        public internal(set) var longestGap: Duration = .zero
    }

    public internal(set) var findings: [String] = []
    public internal(set) var episodes: [Passed] = []
    public internal(set) var documents = 0
    public internal(set) var attempts = 0
    public internal(set) var heldBack = 0
    public internal(set) var reads = 0
    public internal(set) var failures: [(kind: String, count: Int)] = []
    public internal(set) var duration: Duration = .zero
    public internal(set) var lastView: UInt64 = 0
    public internal(set) var entries: UInt64 = 0
    public internal(set) var queryDigest = ""
    public internal(set) var peakBytes: [Int] = []
    public internal(set) var leveled: Duration = .zero
    /// Latencies of documents that were sent while nothing was at fault.
    public internal(set) var calmLatencies: [Duration] = []

    public var text: String {
        var lines = [
            "\(documents) documents acknowledged in \(duration.text), in \(attempts) attempts;"
                + " \(heldBack) held back while too many waited; \(reads) reads",
            "attempts without a receipt: "
                + (failures.isEmpty
                    ? "none" : failures.map { "\($0.count) × \($0.kind)" }.joined(separator: ", ")),
            "the last view is \(lastView)",
        ]
        let kinds = Dictionary(grouping: episodes.flatMap(\.episode.faults), by: \.kind)
        lines.append(
            "faults: "
                + Fault.Kind.allCases.compactMap { kind in
                    kinds[kind].map { "\($0.count) × \(kind.rawValue)" }
                }.joined(separator: ", ")
                + "; of them on the primary: \(episodes.flatMap(\.episode.faults).count { $0.target == .primary })"
                + "; episodes with a slow or lossy network: \(episodes.count { $0.episode.network != .sound })"
        )
        lines.append("in calm, from sending to receipt: \(Self.spread(calmLatencies))")
        for (name, some) in [
            ("up to f nodes at fault", episodes.filter { !$0.isBeyond }),
            ("more than f at fault", episodes.filter(\.isBeyond)),
        ] {
            lines.append("\(name): \(some.count) episodes")
            lines.append("  longest gap in acknowledgements: \(Self.spread(some.map(\.longestGap)))")
            lines.append("  first receipt after the end: \(Self.spread(some.compactMap(\.resumed)))")
        }
        let killed = episodes.filter {
            $0.episode.faults == [Fault(.kill, .primary)] && $0.episode.network == .sound
        }
        lines.append("the primary alone killed: \(killed.count) episodes")
        lines.append("  gap in acknowledgements: \(Self.spread(killed.map(\.longestGap)))")
        lines.append(
            "  first receipt for what was sent after: \(Self.spread(killed.compactMap(\.firstAcknowledgement)))"
        )
        lines.append("level \(leveled.text) after the end; \(entries) entries; query digest \(queryDigest)")
        lines.append(
            "most memory of a node: \(peakBytes.map { "\($0 >> 20) MB" }.joined(separator: ", "))")
        return lines.joined(separator: "\n")
    }

    private static func spread(_ values: [Duration]) -> String {
        let sorted = values.sorted()
        guard let most = sorted.last else { return "none" }
        let tail = sorted[min(sorted.count - 1, sorted.count * 99 / 100)]
        return "median \(sorted[sorted.count / 2].text), 99th percentile \(tail.text), longest \(most.text)"
    }
}
