import Ledger
import Replication

/// Reads the words of one command, from left to right.
struct CommandReader {
    let line: Scenario.Line
    private var words: ArraySlice<String>

    init(_ line: Scenario.Line) {
        self.line = line
        words = line.words[...]
    }

    var isAtEnd: Bool { words.isEmpty }
    var next: String? { words.first }

    func misspelt(_ reason: String) -> Scenario.Misspelt { .init(line: line.number, reason: reason) }

    mutating func word(_ what: String) throws(Scenario.Misspelt) -> String {
        guard let word = words.popFirst() else { throw misspelt("\(what) is missing") }
        return word
    }

    /// Takes a word if it comes next.
    mutating func skip(_ word: String) -> Bool {
        guard words.first == word else { return false }
        words.removeFirst()
        return true
    }

    mutating func expect(_ word: String) throws(Scenario.Misspelt) {
        guard skip(word) else {
            throw misspelt("«\(word)» should stand before «\(words.first ?? "the end")»")
        }
    }

    func end() throws(Scenario.Misspelt) {
        guard isAtEnd else { throw misspelt("«\(words.joined(separator: " "))» says nothing here") }
    }

    /// All words that follow and are of this kind.
    mutating func all<Value>(_ read: (String) -> Value?) -> [Value] {
        var values: [Value] = []
        while let word = words.first, let value = read(word) {
            words.removeFirst()
            values.append(value)
        }
        return values
    }

    mutating func number(_ what: String) throws(Scenario.Misspelt) -> Int {
        let text = try word(what)
        guard let number = Int(text), number >= 0 else { throw misspelt("«\(text)» is no number") }
        return number
    }

    /// Nodes by number, or `*` for all.
    mutating func nodes(of count: Int) throws(Scenario.Misspelt) -> [Int] {
        if skip("*") { return Array(0..<count) }
        let nodes = all { Int($0) }
        guard !nodes.isEmpty else { throw misspelt("a node is missing before «\(words.first ?? "the end")»") }
        guard let stranger = nodes.first(where: { $0 < 0 || $0 >= count }) else { return nodes }
        throw misspelt("there is no node \(stranger)")
    }

    /// Microseconds: `5ms`, `2s`, `30min`, `1h`.
    mutating func duration() throws(Scenario.Misspelt) -> Int {
        let text = try word("a duration")
        let units = [("ms", 1000), ("min", 60_000_000), ("s", 1_000_000), ("h", 3_600_000_000)]
        for (unit, size) in units where text.hasSuffix(unit) {
            if let number = Int(text.dropLast(unit.count)) { return number * size }
        }
        throw misspelt("«\(text)» is no duration")
    }

    /// `[a b c]`, with spaces only between the names.
    mutating func bracketed() throws(Scenario.Misspelt) -> [String] {
        guard words.first?.hasPrefix("[") ?? false else { throw misspelt("a list in brackets is missing") }
        var names: [String] = []
        while let word = words.popFirst() {
            let isLast = word.hasSuffix("]")
            let name = word.drop { $0 == "[" }.prefix { $0 != "]" }
            if !name.isEmpty { names.append(String(name)) }
            if isLast { return names }
        }
        throw misspelt("the bracket does not close")
    }
}
