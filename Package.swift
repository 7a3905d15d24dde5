// swift-tools-version: 6.2
// The diagram of docs/ARCHITECTURE.md, executable: what may depend on what, and why each dependency is here.
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "kpi-ledger",
    products: [
        .executable(name: "ledgerd", targets: ["ledgerd"]),
        .executable(name: "bench", targets: ["bench"]),
        .library(name: "Ledger", targets: ["Ledger"]),
    ],
    dependencies: [
        // Command line: subcommands, help and usage errors.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // Reads the DER of statements and sealed payloads, strictly.
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        // X.509: makes the certificates of `init`, reads those of `enroll`.
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        // Layered settings: command line over environment over file.
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        // SHA-256 and Ed25519 of the log's proofs (signing measured three times as fast as OpenSSL 3.0's);
        // the keys that `init` makes (CryptoExtras for RSA).
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        // The names of header fields and statuses that Hummingbird speaks in.
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        // Event loops; TLS 1.3 with a pinned client certificate check.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        // The parts of a request, where a body that does not end is cut off.
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        // The HTTPS server, HTTP/1.1 and HTTP/2.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        // The client half of `ledgerd append`, `verify` and `query`.
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        // An orderly stop on SIGTERM.
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        // Access tokens: JWT, algorithm pinned.
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        .systemLibrary(name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CLibXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),

        .target(
            name: "Ledger",
            dependencies: [
                "CLMDB", "COpenSSL", "CLibXML2",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
            ],
            // The schemas stand in files that any validator can use, and travel inside the binary.
            resources: ["kpi", "session", "governance", "genesis"].map { .embedInCode("Document/\($0).xsd") },
            swiftSettings: strict + [.strictMemorySafety()]),
        .target(
            name: "Replication",
            dependencies: [
                "Ledger",
                // The connections between nodes, and TLS 1.3 on them: `Driver` alone sees both.
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: strict),
        .target(name: "Query", dependencies: ["Ledger"], swiftSettings: strict),
        .executableTarget(
            name: "ledgerd",
            dependencies: [
                "Ledger", "Replication", "Query",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdHTTP2", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "bench",
            dependencies: [
                // It runs the real program in a process of its own: named here, so that it is built.
                "ledgerd",
                "Ledger", "Replication", "Query",
                // The floor of every audit: RSA verification with nothing around it.
                "COpenSSL",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdHTTP2", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
            ],
            path: "tools/bench", exclude: ["peers.py"], swiftSettings: strict),

        // The query engine behind standard input and output, to be compared with a real Prometheus.
        .executableTarget(
            name: "promql-engine", dependencies: ["Ledger", "Query"], path: "tools/promql-diff/engine",
            swiftSettings: strict),

        // What tests share: directories of their own, seeded randomness, ledgers made in memory.
        .target(
            name: "TestSupport", dependencies: ["Ledger", "Replication"], path: "Tests/Support",
            swiftSettings: strict),
        .testTarget(
            name: "LedgerTests", dependencies: ["Ledger", "Replication", "TestSupport"], swiftSettings: strict
        ),
        // A committee in one thread: virtual clocks, disks and network around the real replica.
        .target(
            name: "Simulation", dependencies: ["Ledger", "Replication", "TestSupport"],
            path: "Tests/Simulation", swiftSettings: strict),
        .executableTarget(
            name: "simulate",
            dependencies: ["Simulation", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "tools/simulate", swiftSettings: strict),
        // Real nodes in processes, a network between them that fails, and clients.
        .target(
            name: "Chaos",
            dependencies: [
                // It runs the real program: named here, so that it is built.
                "ledgerd",
                "Ledger", "Query", "TestSupport",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            path: "Tests/Chaos", swiftSettings: strict),
        .executableTarget(
            name: "chaos",
            dependencies: ["Chaos", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "tools/chaos", swiftSettings: strict),
        .testTarget(
            name: "ChaosTests",
            dependencies: [
                "Chaos", "Ledger", "TestSupport",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ReplicationTests",
            dependencies: [
                "Replication", "Simulation", "TestSupport",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            // Read and rewritten where they stand.
            exclude: ["Scenarios"], swiftSettings: strict),
        .testTarget(
            name: "QueryTests", dependencies: ["Query", "TestSupport"],
            // Read where they stand.
            exclude: ["Cases"], swiftSettings: strict),
        .testTarget(
            name: "LedgerdTests",
            dependencies: [
                "ledgerd", "Ledger", "Replication", "TestSupport",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: strict),
        .testTarget(name: "TidyTests", swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
