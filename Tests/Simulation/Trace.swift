import Ledger

/// What happened in a world, line by line. The same bytes each time that a seed is run, in every process: blocks and
/// entries go by names, since their hashes depend on keys that each process makes.
public struct Trace: Sendable {
    let isOn: Bool
    public private(set) var lines: [String] = []
    private var names: [Digest: String] = [:]
    private var counts: [String: Int] = [:]
    private var hash = Digest.Hash()

    init(isOn: Bool) { self.isOn = isOn }

    mutating func add(_ now: Int, _ text: String) {
        let line = "\(now / 1000).\(String(now % 1000 + 1000).dropFirst()) \(text)"
        hash.update(Array(line.utf8))
        hash.update(0x0A)
        lines.append(line)
    }

    /// `b<height>.<view>`, with a letter where several were proposed.
    mutating func name(of block: Digest, height: BlockHeight, view: View) -> String {
        if let name = names[block] { return name }
        let place = "b\(height).\(view)"
        let count = counts[place, default: 0]
        counts[place] = count + 1
        let name = count == 0 ? place : "\(place)/\(count)"
        names[block] = name
        return name
    }

    func digest() -> Digest {
        let copy = hash
        return copy.finish()
    }
}
