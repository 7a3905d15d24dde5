import Testing

/// Who may know whom: docs/ARCHITECTURE.md, "The picture", as data. The compiler does not check it: Swift 6.3.1
/// accepts an undeclared import of a sibling module.
private let importRules = ImportRules(
    rules: [
        ImportRule(folder: "Sources/Ledger", allowed: []),
        ImportRule(folder: "Sources/Ledger/Model", allowed: []),
        ImportRule(folder: "Sources/Ledger/Encoding", allowed: []),
        ImportRule(
            folder: "Sources/Ledger/Proof", allowed: [],
            besides: ["Digest.swift": ["Crypto"], "Signature.swift": ["Crypto"]]),
        ImportRule(folder: "Sources/Ledger/Envelope", allowed: ["COpenSSL", "SwiftASN1", "Synchronization"]),
        ImportRule(folder: "Sources/Ledger/Document", allowed: ["CLibXML2", "Glibc", "Synchronization"]),
        ImportRule(
            folder: "Sources/Ledger/Storage", allowed: ["CLMDB", "Dispatch", "Glibc", "Synchronization"]),
        ImportRule(folder: "Sources/Replication", allowed: ["Ledger"]),
        ImportRule(folder: "Sources/Replication/Core", allowed: ["Ledger"]),
        ImportRule(folder: "Sources/Replication/Wire", allowed: ["Ledger"]),
        ImportRule(
            folder: "Sources/Replication/Driver",
            allowed: [
                "Ledger", "Dispatch", "Glibc", "Logging", "NIOCore", "NIOPosix", "NIOSSL", "Synchronization",
            ]),
        ImportRule(
            folder: "Sources/Query", allowed: ["Ledger", "Synchronization"],
            // `pow`, `atan2`, logarithms and trigonometry; the standard library has none of them.
            besides: [
                "BinaryOperator+Arithmetic.swift": ["Glibc"], "Function+Mathematics.swift": ["Glibc"],
            ]),
        ImportRule(folder: "Sources/ledgerd", allowed: world),
        // NIO and HTTP stop here: commands and the ceremony see values and bytes.
        ImportRule(folder: "Sources/ledgerd/Server", allowed: world.union(network)),
        ImportRule(folder: "Sources/ledgerd/Client", allowed: world.union(network)),
        ImportRule(folder: "Tests/Simulation", allowed: ["TestSupport", "Ledger", "Replication"]),
        // It sees nodes from outside, as their clients do: nothing of how they agree.
        ImportRule(
            folder: "Tests/Chaos",
            allowed: [
                "AsyncHTTPClient", "Foundation", "Glibc", "Ledger", "NIOCore", "NIOHTTP1", "NIOPosix",
                "NIOSSL", "Query", "Synchronization", "TestSupport",
            ]),
    ],
    hidden: ["CLMDB", "COpenSSL", "CLibXML2"])

/// What `ledgerd` as a whole may import.
private let world: Set<String> = [
    "ArgumentParser", "Configuration", "Crypto", "CryptoExtras", "Dispatch", "Foundation", "Glibc", "JWTKit",
    "Ledger", "Logging", "Query", "Replication", "ServiceLifecycle", "SwiftASN1", "Synchronization", "X509",
]

private let network: Set<String> = [
    "AsyncHTTPClient", "HTTPTypes", "Hummingbird", "HummingbirdCore", "HummingbirdHTTP2", "HummingbirdTLS",
    "NIOCore", "NIOFoundationCompat", "NIOHTTP1", "NIOHTTPTypes", "NIOPosix", "NIOSSL", "NIOTLS",
    "UnixSignals",
]

@Suite struct `The import rules` {
    @Test func `hold for every file`() throws {
        let sources = try Repository.swiftSources(under: "Sources", "Tests/Simulation", "Tests/Chaos")
        #expect(sources.count > 10, "found hardly any source: is \(Repository.root) the repository?")
        let findings = sources.flatMap(importRules.findings)
        #expect(findings.isEmpty, "\(findings.report)")
    }

    private func findings(_ path: String, _ text: String) -> [Finding] {
        importRules.findings(in: SwiftSource(path: path, text: text))
    }

    @Test(arguments: [
        ("Sources/Ledger/Model/A.swift", "import Foundation"),
        ("Sources/Ledger/Model/A.swift", "import struct Foundation.Data"),
        ("Sources/Ledger/Model/A.swift", "@preconcurrency public import Crypto"),
        ("Sources/Ledger/Proof/MerkleTree.swift", "import Crypto"),
        ("Sources/Ledger/LedgerState.swift", "internal import CLMDB"),
        ("Sources/Ledger/Storage/A.swift", "import COpenSSL"),
        ("Sources/Ledger/Storage/A.swift", "public import CLMDB"),
        ("Sources/Ledger/Document/A.swift", "@_exported import CLibXML2"),
        ("Sources/Ledger/Envelope/Deep/A.swift", "import CLMDB"),
        ("Sources/Replication/Core/A.swift", "import NIOCore"),
        ("Sources/Replication/Core/A.swift", "import Ledger; import Query"),
        ("Sources/Replication/Wire/A.swift", "#if canImport(NIOCore)\n  import NIOCore\n#endif"),
        ("Sources/Replication/Driver/A.swift", "@testable import Ledger"),
        ("Sources/Query/A.swift", "import Replication"),
        ("Sources/ledgerd/Commands/A.swift", "import NIOCore"),
        ("Sources/ledgerd/Server/A.swift", "import CLMDB"),
        ("Sources/Elsewhere/A.swift", ""),
        ("Tests/Simulation/A.swift", "import Dispatch"),
        ("Tests/Simulation/A.swift", "@testable import Replication"),
        ("Tests/Chaos/A.swift", "import Replication"),
    ])
    func `refuse what the table does not allow`(path: String, text: String) {
        #expect(!findings(path, text).isEmpty)
    }

    @Test(arguments: [
        ("Sources/Ledger/Proof/Digest.swift", "import Crypto"),
        ("Sources/Ledger/Storage/A.swift", "internal import CLMDB\ninternal import Glibc"),
        ("Sources/Ledger/Envelope/A.swift", "internal import COpenSSL\nimport SwiftASN1"),
        ("Sources/Replication/Core/A.swift", "public import Ledger"),
        ("Sources/Replication/Driver/A.swift", "import NIOSSL"),
        ("Sources/ledgerd/Server/A.swift", "import NIOCore\nimport Hummingbird"),
        ("Sources/Ledger/Model/A.swift", "// import Foundation\nlet a = \"import Foundation\""),
        ("Sources/Ledger/Model/A.swift", "func `we import Foundation`() {}\nlet important = 1"),
    ])
    func `allow what the table allows`(path: String, text: String) {
        #expect(findings(path, text).isEmpty)
    }

    @Test func `name the line and the module`() {
        #expect(
            findings("Sources/Query/A.swift", "import Ledger\n\nimport Replication")
                == [
                    Finding(
                        path: "Sources/Query/A.swift", line: 3,
                        reason: "Sources/Query may not import Replication")
                ])
    }
}
