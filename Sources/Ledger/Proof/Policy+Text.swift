extension Policy {
    /// The policy as a file: logs, then witnesses and groups in their order, then the quorum.
    public var text: [UInt8] {
        var lines: [[UInt8]] = []
        for log in logs { lines.append(Self.line(["log", log.key.text], log.url)) }
        for component in components {
            switch component.content {
            case .witness(let key, let url):
                lines.append(Self.line(["witness"], component.name, [key.text], url))
            case .group(let threshold, let members):
                let names = members.flatMap { [space] + components[$0].name }
                lines.append(Self.line(["group"], component.name, [String(threshold)], nil) + names)
            }
        }
        lines.append(Self.line(["quorum"], quorum.map { components[$0].name } ?? Self.none))
        return lines.flatMap { $0 + [lineFeed] }
    }

    private static func line(
        _ first: [String], _ name: [UInt8]? = nil, _ last: [String] = [], _ url: [UInt8]? = nil
    ) -> [UInt8] {
        let words = first.map { Array($0.utf8) } + [name].compactMap { $0 } + last.map { Array($0.utf8) }
        return Array((words + [url].compactMap { $0 }).joined(separator: [space]))
    }

    fileprivate static let none = Array("none".utf8)

    /// Reads a policy file in the whole grammar: nested groups, `any`, `all`, `k`, comments, addresses.
    ///
    /// - Throws: `malformedPolicy` with the number of the line.
    public init(parsing text: [UInt8]) throws(ProofError) {
        guard text.count <= Limits.policyBytes else {
            throw ProofError(.malformedPolicy, "a policy is over the limit of \(Limits.policyBytes) bytes")
        }
        // A file that was cut short could name another quorum than the one that was written.
        guard text.last == lineFeed else {
            throw ProofError(.malformedPolicy, "the last line of a policy does not end in a newline")
        }
        var parser = PolicyParser()
        let lines = text.dropLast().split(separator: lineFeed, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            parser.line = index + 1
            try parser.read(line)
        }
        guard let quorum = parser.quorum else {
            throw ProofError(.malformedPolicy, "a policy has no quorum line")
        }
        self.init(logs: parser.logs, components: parser.components, quorum: quorum)
    }
}

private let space = UInt8(ascii: " ")
private let tab = UInt8(ascii: "\t")

/// What has been read of a policy so far.
private struct PolicyParser {
    var line = 0
    var logs: [Policy.Log] = []
    var components: [Policy.Component] = []
    /// `nil` before the quorum line, `.some(nil)` after `quorum none`.
    var quorum: Int??
    /// The components that stand in a group already: each may add to a quorum in one way only.
    private var isMember: [Bool] = []

    func failure(_ reason: String) -> ProofError { ProofError(.malformedPolicy, "line \(line): \(reason)") }

    mutating func read(_ line: ArraySlice<UInt8>) throws(ProofError) {
        guard line.allSatisfy({ ($0 >= 0x20 && $0 != 0x7F) || $0 == tab }) else {
            throw failure("a control character")
        }
        let words = line.split { $0 == space || $0 == tab }.map { Array($0) }
        guard let keyword = words.first, keyword.first != UInt8(ascii: "#") else { return }
        let arguments = Array(words.dropFirst())
        switch String(decoding: keyword, as: UTF8.self) {
        case "log": try readLog(arguments)
        case "witness": try readWitness(arguments)
        case "group": try readGroup(arguments)
        case "quorum": try readQuorum(arguments)
        default: throw failure("neither log, witness, group nor quorum")
        }
    }

    private mutating func readLog(_ words: [[UInt8]]) throws(ProofError) {
        guard words.count == 1 || words.count == 2 else {
            throw failure("a log is a key and at most an address")
        }
        guard logs.count < Limits.policyLogs else { throw failure("more than \(Limits.policyLogs) logs") }
        let key = try readKey(words[0])
        guard !logs.contains(where: { $0.key.key == key.key }) else {
            throw failure("the key of another log")
        }
        logs.append(Policy.Log(key: key, url: words.count == 2 ? words[1] : nil))
    }

    private mutating func readWitness(_ words: [[UInt8]]) throws(ProofError) {
        guard words.count == 2 || words.count == 3 else {
            throw failure("a witness is a name, a key and at most an address")
        }
        let key = try readKey(words[1])
        guard key.kind == .cosignature else { throw failure("the key of a witness is of type 04") }
        for component in components {
            if case .witness(let other, _) = component.content, other.key == key.key {
                throw failure("the key of another witness")
            }
        }
        try define(words[0], .witness(key, url: words.count == 3 ? words[2] : nil))
    }

    private mutating func readGroup(_ words: [[UInt8]]) throws(ProofError) {
        guard words.count >= 3 else { throw failure("a group is a name, a threshold and one member or more") }
        var members: [Int] = []
        for word in words.dropFirst(2) {
            guard let member = position(of: word) else {
                throw failure("a member that no line above defines")
            }
            guard !isMember[member] else { throw failure("a member that is in a group already") }
            isMember[member] = true
            members.append(member)
        }
        let threshold: Int
        switch String(decoding: words[1], as: UTF8.self) {
        case "any": threshold = 1
        case "all": threshold = members.count
        case let word:
            guard let number = decimal(word, max: UInt64(members.count)), number >= 1 else {
                throw failure("a threshold that is neither any, all, nor 1 to the number of members")
            }
            threshold = Int(number)
        }
        try define(words[0], .group(threshold: threshold, members: members))
    }

    private mutating func readQuorum(_ words: [[UInt8]]) throws(ProofError) {
        guard words.count == 1 else { throw failure("a quorum is one name") }
        guard quorum == nil else { throw failure("a second quorum") }
        if words[0] == Policy.none {
            quorum = .some(nil)
        } else {
            guard let component = position(of: words[0]) else {
                throw failure("a quorum that no line above defines")
            }
            quorum = component
        }
    }

    private func readKey(_ word: [UInt8]) throws(ProofError) -> NoteVerifierKey {
        guard let text = String(validating: word, as: UTF8.self) else { throw failure("a key is not UTF-8") }
        do { return try NoteVerifierKey(parsing: text) } catch { throw failure(error.reason) }
    }

    private func position(of name: [UInt8]) -> Int? { components.firstIndex { $0.name == name } }

    private mutating func define(_ name: [UInt8], _ content: Policy.Component.Content) throws(ProofError) {
        guard name != Policy.none else { throw failure("the name none has a meaning of its own") }
        guard position(of: name) == nil else { throw failure("a name that is taken") }
        guard components.count < Limits.policyComponents else {
            throw failure("more than \(Limits.policyComponents) witnesses and groups")
        }
        components.append(Policy.Component(name: name, content: content))
        isMember.append(false)
    }
}
