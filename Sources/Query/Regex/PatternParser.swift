/// Reads RE2 syntax: alternation, repetition, groups. Characters are in `PatternParser+Characters.swift`.
struct PatternParser {
    let scalars: [Unicode.Scalar]
    var position = 0
    var flags = Flags()
    /// Between `\Q` and `\E`: every character stands for itself.
    var isQuoting = false
    private var depth = 0
    /// The names of the groups, where they have one; of the whole, which is group 0, none.
    private var groupNames: [String?] = [nil]

    struct Flags {
        var foldsCase = false
        var multiline = false
        /// As Prometheus compiles patterns: `^(?s:…)$`.
        var dotMatchesNewline = true
        /// `U`: `*` is lazy and `*?` greedy.
        var swapsGreed = false
    }

    static func node(of text: String) throws(Pattern.Failure) -> PatternNode {
        try nodeWithGroups(of: text).node
    }

    /// - Returns: The name of each group as well, the whole pattern being the first.
    static func nodeWithGroups(
        of text: String
    ) throws(Pattern.Failure) -> (node: PatternNode, groupNames: [String?]) {
        var parser = PatternParser(scalars: Array(text.unicodeScalars))
        let node = try parser.readAlternation()
        guard parser.position == parser.scalars.count else {
            throw Pattern.Failure("unexpected ): `\(text)`")
        }
        return (node, parser.groupNames)
    }

    private init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

    func peek(_ distance: Int = 0) -> Unicode.Scalar? {
        position + distance < scalars.count ? scalars[position + distance] : nil
    }

    mutating func skip(_ expected: Unicode.Scalar) -> Bool {
        guard peek() == expected else { return false }
        position += 1
        return true
    }

    func text(from start: Int, to end: Int? = nil) -> String {
        var view = String.UnicodeScalarView()
        let last = min(end ?? scalars.count, scalars.count)
        if start < last { view.append(contentsOf: scalars[start..<last]) }
        return String(view)
    }

    // MARK: Structure

    private mutating func readAlternation() throws(Pattern.Failure) -> PatternNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= QueryLimits.patternDepth else {
            throw Pattern.Failure("expression nests too deeply: `\(text(from: 0))`")
        }
        var choices = [try readSequence()]
        while skip("|") { choices.append(try readSequence()) }
        return choices.count == 1 ? choices[0] : .alternation(choices)
    }

    private mutating func readSequence() throws(Pattern.Failure) -> PatternNode {
        var nodes: [PatternNode] = []
        while let next = peek(), isQuoting || next != "|" && next != ")" {
            guard let atom = try readAtom() else { continue }
            nodes.append(try readRepetition(of: atom))
        }
        return nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    private mutating func readRepetition(of atom: PatternNode) throws(Pattern.Failure) -> PatternNode {
        let start = position
        guard !isQuoting, let (minimum, maximum) = try readRepetition() else { return atom }
        let isLazy = skip("?") != flags.swapsGreed
        let end = position
        if try readRepetition() != nil {
            throw Pattern.Failure("invalid nested repetition operator: `\(text(from: start, to: position))`")
        }
        position = end
        return .repetition(atom, minimum: minimum, maximum: maximum, isLazy: isLazy)
    }

    private mutating func readRepetition() throws(Pattern.Failure) -> (Int, Int?)? {
        switch peek() {
        case "*":
            position += 1
            return (0, nil)
        case "+":
            position += 1
            return (1, nil)
        case "?":
            position += 1
            return (0, 1)
        case "{": return try readBraces()
        default: return nil
        }
    }

    /// `{n}`, `{n,}`, `{n,m}`; anything else in braces is itself.
    private mutating func readBraces() throws(Pattern.Failure) -> (Int, Int?)? {
        let start = position
        position += 1
        let minimum = readCount()
        var maximum = minimum
        var isCount = minimum != nil
        if isCount, skip(",") {
            maximum = readCount()
            isCount = maximum != nil || peek() == "}"
        }
        guard isCount, let minimum, skip("}") else {
            position = start
            return nil
        }
        guard max(minimum, maximum ?? 0) <= QueryLimits.patternRepetition,
            maximum.map({ $0 >= minimum }) ?? true
        else { throw Pattern.Failure("invalid repeat count: `\(text(from: start, to: position))`") }
        return (minimum, maximum)
    }

    private mutating func readCount() -> Int? {
        var value: Int?
        while let scalar = peek(), ("0"..."9").contains(scalar) {
            // Held above every limit instead of overflowing.
            value = min((value ?? 0) * 10 + Int(scalar.value - 0x30), 1_000_000)
            position += 1
        }
        return value
    }

    /// `nil` for what only sets flags.
    private mutating func readAtom() throws(Pattern.Failure) -> PatternNode? {
        let start = position
        guard let scalar = peek() else { return nil }
        if isQuoting { return readQuoted(scalar) }
        if try readRepetition() != nil {
            throw Pattern.Failure(
                "missing argument to repetition operator: `\(text(from: start, to: position))`")
        }
        position = start + 1
        switch scalar {
        case "(": return try readGroup(from: start)
        case "[": return .scalars(try readClass(from: start))
        case ".": return .scalars(flags.dotMatchesNewline ? .any : .anyButNewline)
        case "^": return .assertion(flags.multiline ? .lineStart : .textStart)
        case "$": return .assertion(flags.multiline ? .lineEnd : .textEnd)
        case "\\": return try readEscape(from: start)
        default: return .scalars(ScalarSet(scalar, foldsCase: flags.foldsCase))
        }
    }

    // MARK: Groups

    private mutating func readGroup(from start: Int) throws(Pattern.Failure) -> PatternNode? {
        let outer = flags
        var group: Int?
        if skip("?") {
            if peek() == "P" || peek() == "<" {
                _ = skip("P")
                let name = try readGroupName(from: start)
                guard !groupNames.contains(name) else {
                    throw Pattern.Failure("duplicate capture group name: `\(name)`")
                }
                group = groupNames.count
                groupNames.append(name)
            } else if try readFlags(from: start) {
                // `(?i)` holds to the end of the group around it.
                return nil
            }
        } else {
            group = groupNames.count
            groupNames.append(nil)
        }
        let node = try readAlternation()
        guard skip(")") else { throw Pattern.Failure("missing closing ): `\(text(from: 0))`") }
        flags = outer
        return group.map { .capture(node, group: $0) } ?? node
    }

    private mutating func readGroupName(from start: Int) throws(Pattern.Failure) -> String {
        guard skip("<"), let first = peek(), first.isWord else {
            throw Pattern.Failure(
                "invalid or unsupported Perl syntax: `\(text(from: start, to: position + 1))`")
        }
        let nameStart = position
        while let scalar = peek(), scalar.isWord { position += 1 }
        let name = text(from: nameStart, to: position)
        guard skip(">") else {
            throw Pattern.Failure("invalid named capture: `\(text(from: start, to: position + 1))`")
        }
        return name
    }

    /// Reads `i`, `-s`, `im:` …; true where the flags stand alone, `(?i)`.
    private mutating func readFlags(from start: Int) throws(Pattern.Failure) -> Bool {
        var value = true
        while let scalar = peek() {
            position += 1
            switch scalar {
            case "i": flags.foldsCase = value
            case "m": flags.multiline = value
            case "s": flags.dotMatchesNewline = value
            case "U": flags.swapsGreed = value
            case "-" where value: value = false
            case ":": return false
            case ")": return true
            default:
                throw Pattern.Failure(
                    "invalid or unsupported Perl syntax: `\(text(from: start, to: position))`")
            }
        }
        throw Pattern.Failure("missing closing ): `\(text(from: 0))`")
    }
}

extension Unicode.Scalar {
    var isWord: Bool { isASCII && (UInt8(ascii: self).isLetter || UInt8(ascii: self).isDigit) }
}
