/// What befalls one node.
public struct Fault: Sendable, Hashable {
    public enum Kind: String, Sendable, CaseIterable {
        /// SIGKILL, and started again at the end.
        case kill
        /// SIGTERM, and started again at the end.
        case restart
        /// SIGSTOP, and SIGCONT at the end.
        case pause
        /// No peer reaches it and it reaches none; connections are closed.
        case cutOff = "cut off"
        /// The same, and nobody is told.
        case silence
        /// It hears nobody, and all hear it.
        case deaf
        /// It hears all, and nobody hears it.
        case mute
        /// It and one other do not reach each other.
        case brokenLink = "broken link"
    }

    /// Nodes have no names in a schedule: which one is the primary is known only when the fault begins.
    public enum Target: Sendable, Hashable {
        case primary
        case other
    }

    public var kind: Kind
    public var target: Target

    public init(_ kind: Kind, _ target: Target = .other) {
        self.kind = kind
        self.target = target
    }
}

extension Fault: CustomStringConvertible {
    public var description: String { kind.rawValue + (target == .primary ? " of the primary" : "") }
}

/// Faults that begin and end together, on as many nodes.
public struct Episode: Sendable, Equatable {
    /// Calm before it, in milliseconds.
    public var calmMilliseconds: Int
    public var lastsMilliseconds: Int
    public var faults: [Fault]
    /// What every link is like beside.
    public var network: LinkCondition
    /// Decides which nodes are meant.
    public var draw: UInt64

    public init(
        calmMilliseconds: Int, lastsMilliseconds: Int, _ faults: [Fault], network: LinkCondition = .sound,
        draw: UInt64 = 0
    ) {
        self.calmMilliseconds = calmMilliseconds
        self.lastsMilliseconds = lastsMilliseconds
        self.faults = faults
        self.network = network
        self.draw = draw
    }

    public var durationMilliseconds: Int { calmMilliseconds + lastsMilliseconds }

    /// Which node each fault is for.
    ///
    /// - Precondition: no more faults than nodes.
    func nodes(primary: Int, of count: Int) -> [Int] {
        precondition(faults.count <= count, "each fault has a node of its own")
        let start = Int(draw % UInt64(count))
        var others = (0..<count).map { (start + $0) % count }
        if faults.contains(where: { $0.target == .primary }) { others.removeAll { $0 == primary } }
        var rest = others[...]
        return faults.map { fault in fault.target == .primary ? primary : rest.removeFirst() }
    }
}

extension Episode: CustomStringConvertible {
    public var description: String {
        var words = faults.map(\.description)
        if network != .sound { words.append("network \(network)") }
        return words.joined(separator: ", ")
    }
}
