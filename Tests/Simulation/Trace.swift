import Ledger

/// What happened in a world, line by line. The same bytes each time that a seed is run, in every process: blocks and
/// entries go by names, since their hashes depend on keys that each process makes.
public struct Trace: Sendable {
    /// What a line is about, so that a reader can choose.
    enum Topic: Hashable, Sendable {
        case view, final, client, refusal, evidence, fault, disk, lie, failure
        case sent(MessageKind)
        case received(MessageKind)
    }

    struct Line: Sendable {
        /// Microseconds.
        let time: Int
        let topic: Topic
        /// Whom it happened to: `n1`, or `n1'` for the second of two twins; `nil` for what happened to the network.
        let node: String?
        let text: String

        var rendered: String {
            let moment = "\(time / 1000).\(String(time % 1000 + 1000).dropFirst())"
            return node.map { "\(moment) \($0) \(text)" } ?? "\(moment) \(text)"
        }
    }

    let isOn: Bool
    private(set) var entries: [Line] = []
    public var lines: [String] { entries.map(\.rendered) }
    private var names: [Digest: String] = [:]
    private var blocks: [String: Digest] = [:]
    private var counts: [String: Int] = [:]
    private var hash = Digest.Hash()

    init(isOn: Bool) { self.isOn = isOn }

    mutating func add(_ now: Int, _ topic: Topic, _ node: String? = nil, _ text: String) {
        let line = Line(time: now, topic: topic, node: node, text: text)
        hash.update(Array(line.rendered.utf8))
        hash.update(0x0A)
        entries.append(line)
    }

    /// `b<height>.<view>`, with a number where several were proposed.
    mutating func name(of block: Digest, height: BlockHeight, view: View) -> String {
        if let name = names[block] { return name }
        let place = "b\(height).\(view)"
        let count = counts[place, default: 0]
        counts[place] = count + 1
        let name = count == 0 ? place : "\(place)/\(count)"
        names[block] = name
        blocks[name] = block
        return name
    }

    /// The block that goes by this name.
    func block(named name: String) -> Digest? { blocks[name] }

    func digest() -> Digest {
        let copy = hash
        return copy.finish()
    }
}
