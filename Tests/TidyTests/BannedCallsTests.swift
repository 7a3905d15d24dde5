import Testing

private let deterministic = ["Sources/Ledger", "Sources/Replication/Core"]
private let exact = [
    "Sources/Ledger/Model", "Sources/Ledger/Encoding", "Sources/Ledger/Proof", "Sources/Replication/Core",
]

private let bannedCalls: [BannedCall] = [
    // Replicas must compute identical bytes.
    BannedCall(
        pattern: #"\b(Date|UUID|Locale|TimeZone|Calendar)\s*[(.]"#, folders: deterministic,
        reason: "differs from machine to machine"),
    BannedCall(
        pattern: #"\b(ContinuousClock|SuspendingClock|clock_gettime|gettimeofday|time\s*\(\s*(nil|&))"#,
        folders: deterministic, reason: "time is an argument"),
    BannedCall(
        pattern: #"\bhashValue\b"#, folders: deterministic, reason: "differs in every process"),
    BannedCall(
        pattern: #"\bSystemRandomNumberGenerator\b|\b(arc4random|rand|random)\w*\s*\(\s*\)"#,
        folders: deterministic, reason: "randomness is a seeded generator, passed in"),
    BannedCall(
        pattern: #"\.(random|shuffled|shuffle|randomElement)\s*\((?![^)]*using:)"#, folders: deterministic,
        reason: "randomness is a seeded generator, passed in"),
    BannedCall(
        pattern: #"\b(Double|Float|Float16|Float80|CGFloat)\b"#, folders: exact,
        reason: "rounds; use Quantity"),

    // Decide in values, act at the edge.
    BannedCall(
        pattern: #"\b(async|await)\b"#, folders: ["Sources/Replication/Core"], reason: "a replica is a value"),
    BannedCall(
        pattern: #"\bawait\b"#, folders: ["Sources/Ledger/Storage"],
        reason: "LMDB ties a transaction to its thread"),
    BannedCall(
        pattern: #"\bStore\b"#, folders: ["Sources/Replication/Core"],
        reason: "a replica knows values, no store"),

    // A crash that strangers can cause is an outage.
    BannedCall(pattern: #"\btry!"#, folders: ["Sources", "tools"], reason: "throw, or handle it"),
    BannedCall(
        pattern: #"(?<=[\w)\]}"?])(?<!\btry)!(?!=)"#, folders: ["Sources", "tools"],
        reason: "no force-unwraps, forced casts or implicitly unwrapped types"),
    BannedCall(
        pattern: #"\bfatalError\s*\("#, folders: ["Sources"],
        reason: "use precondition, with a sentence about what should hold"),
    BannedCall(
        pattern: #"\bassert(ionFailure)?\s*\("#, folders: ["Sources"],
        reason: "is gone in release builds; use precondition"),

    BannedCall(
        pattern: #"\b(u|nano)?sleep\s*\("#, folders: ["Tests"], reason: "wait for the event, not for time"),
    BannedCall(
        pattern: #"\b(TODO|FIXME|XXX)\b"#, folders: ["Sources"],
        reason: "mend it, or write the decision that accepts it", inProse: true),
]

private func findings(in source: SwiftSource) -> [Finding] {
    bannedCalls.flatMap { $0.findings(in: source) }
        + (source.path.hasPrefix("Sources/") ? unexplainedSharing(in: source) : [])
}

@Suite struct `The banned calls` {
    @Test func `are in no file`() throws {
        let sources = try Repository.swiftSources(under: "Sources", "Tests", "tools")
        #expect(sources.count > 10, "found hardly any source: is \(Repository.root) the repository?")
        let found = sources.flatMap(findings)
        #expect(found.isEmpty, "\(found.report)")
    }

    private static let core = "Sources/Replication/Core/A.swift"
    private static let model = "Sources/Ledger/Model/A.swift"
    private static let server = "Sources/ledgerd/Server/A.swift"

    @Test(arguments: [
        (model, "let now = Date()"), (model, "let now = Date.now"), (core, "let id = UUID().uuidString"),
        ("Sources/Ledger/Storage/A.swift", "let now = ContinuousClock.now"),
        ("Sources/Ledger/Document/A.swift", "let now = time(nil)"),
        (core, "x.hashValue"), (core, "var generator = SystemRandomNumberGenerator()"),
        (core, "Int.random(in: 0..<5)"), (core, "list.shuffled()"), (core, "let x = rand()"),
        (model, "let x: Double = 0"), (core, "func f(_ x: Float) {}"),
        ("Sources/Ledger/Proof/A.swift", "[Double]()"),
        (core, "func f() async {}"), ("Sources/Ledger/Storage/A.swift", "await x()"),
        (core, "let store: Store"),
        (server, "try! f()"), (server, "let x = y!"), (server, "let x = y![0]"), (server, "f(y!.z)"),
        (server, "x as! Int"), (server, "var x: Int!"), (server, "let x = f()!"), (server, "\"\\(x!)\""),
        (server, "fatalError(\"no\")"), (server, "assert(x)"), (server, "assertionFailure(\"no\")"),
        (server, "// TODO: later"), (server, "/* FIXME */"), (server, "let text = \"XXX\""),
        ("Tests/LedgerTests/A.swift", "try await Task.sleep(for: .seconds(1))"),
        ("Tests/LedgerTests/A.swift", "sleep(1)"), ("Tests/LedgerTests/A.swift", "usleep(1)"),
        (server, "final class A: @unchecked Sendable {}"), (server, "nonisolated(unsafe) var x = 1"),
    ])
    func `are found`(path: String, text: String) {
        #expect(!findings(in: SwiftSource(path: path, text: "let before = 1\n" + text + "\n")).isEmpty)
    }

    @Test(arguments: [
        (model, "// Date() differs\nlet text = \"Date()\""), (server, "let now = Date()"),
        (core, "Int.random(in: 0..<5, using: &generator)"), (core, "list.shuffled(using: &generator)"),
        ("Sources/Query/A.swift", "let x: Double = 0"),
        (server, "if x != y, !z { f(!a) }"), (server, "a!=b"), (server, "#if !os(Linux)\n#endif"),
        (server, "x !== y"),
        (server, "precondition(x, \"x holds\")"), (server, "// it asserts (twice)"),
        (server, "let template = \"/tmp/XXXXXX\""), (server, "/// Methodology"),
        ("Tests/LedgerTests/A.swift", "func `does not sleep(1)`() {}"),
        (server, "/// Guarded by `lock`.\nfinal class A: @unchecked Sendable {}"),
        (server, "/// Guarded by `lock`.\n@safe\nfinal class A: @unchecked Sendable {}"),
        (server, "nonisolated(unsafe) var x = 1  // set once, before threads begin"),
    ])
    func `are not seen where there are none`(path: String, text: String) {
        let found = findings(in: SwiftSource(path: path, text: text))
        #expect(found.isEmpty, "\(found.report)")
    }

    @Test func `are named with their line`() {
        let source = SwiftSource(path: Self.server, text: "let ä = \"ö\"\n\nlet x = try! f()\n")
        #expect(
            findings(in: source) == [
                Finding(path: Self.server, line: 3, reason: "`try!`: throw, or handle it")
            ])
    }
}
