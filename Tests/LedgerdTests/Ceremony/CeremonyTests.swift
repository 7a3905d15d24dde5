import Crypto
import Foundation
import Ledger
import TestSupport
import Testing

@testable import ledgerd

/// One ceremony for all tests of this file: RSA keys are slow to draw.
private enum Shared {
    static let ceremony = Task {
        let created = try #require(Timestamp(rfc3339: "2026-11-22T10:15:00.250Z"))
        return try await Ceremony.perform(
            LedgerPlan(
                origin: "example.com/kpi", nodeCount: 2, basePort: 7400,
                hosts: ["ledger.example.com", "10.1.2.3"],
                created: created))
    }
    static let texts = PublicTexts(genesis: Array("<genesis/>".utf8), policy: Array("policy\n".utf8))

    /// The files, written into a directory of the caller's own.
    static func written() async throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try await ceremony.value.files(texts).write(to: directory.path)
        return directory
    }
}

@Suite struct `A ceremony` {
    @Test func `gives every file its mode`() async throws {
        let directory = try await Shared.written()
        let expected: [String: Int] = [
            "ledger-ca.key": 0o600, "ledger-ca.crt": 0o644, "token.key": 0o600, "policy": 0o644,
            "genesis.xml": 0o644, "nodes/node1.crt": 0o644, "nodes/node2.crt": 0o644,
        ]
        .merging(
            ["node1", "node2"].flatMap { node in
                [
                    "vote.key": 0o600, "ledger.key": 0o600, "sealing.key": 0o600, "sealing.crt": 0o644,
                    "tls.key": 0o600, "tls.crt": 0o644, "config.json": 0o644, "genesis.xml": 0o644,
                ].map { ("\(node)/\($0.key)", $0.value) }
            }, uniquingKeysWith: max
        )
        .merging(
            ["ci", "analyst", "auditor", "operator", "dpo"].flatMap { client in
                [("clients/\(client)/\(client).key", 0o600), ("clients/\(client)/\(client).crt", 0o644)]
            }, uniquingKeysWith: max)

        var found: [String: Int] = [:]
        var directories: Set<String> = []
        let walk = try #require(FileManager.default.enumerator(atPath: directory.path))
        for case let path as String in walk {
            let attributes = try FileManager.default.attributesOfItem(atPath: directory.path + "/" + path)
            let mode = try #require(attributes[.posixPermissions] as? Int)
            if attributes[.type] as? FileAttributeType == .typeDirectory {
                #expect(mode == 0o700, "\(path)")
                directories.insert(path)
            } else {
                found[path] = mode
            }
        }
        #expect(found == expected)
        #expect(directories.isSuperset(of: ["node1/data", "node2/data"]))
    }

    @Test func `makes certificates that OpenSSL reads`() async throws {
        let directory = try await Shared.written()
        for (path, expected) in [
            (
                "ledger-ca.crt",
                ["CA:TRUE, pathlen:0", "Certificate Sign", "O = example.com/kpi, CN = ledger CA"]
            ),
            ("nodes/node1.crt", ["(3072 bit)", "Key Encipherment", "CN = node1"]),
            ("clients/ci/ci.crt", ["(3072 bit)", "Digital Signature, Non Repudiation", "CN = ci"]),
            (
                "node2/tls.crt",
                [
                    "IP Address:127.0.0.1, DNS:localhost, IP Address:0:0:0:0:0:0:0:1, DNS:ledger.example.com",
                    "IP Address:10.1.2.3", "prime256v1", "TLS Web Server Authentication",
                ]
            ),
        ] {
            let answer = try OpenSSL.run("x509", "-noout", "-text", "-in", path, in: directory.path)
            #expect(answer.status == 0)
            for text in expected { #expect(answer.text.contains(text), "\(path): \(answer.text)") }
            #expect(answer.text.contains("X509v3 Subject Key Identifier"))
            #expect(answer.text.contains("Not Before: Nov 22 09:15:00 2026 GMT"))
            #expect(answer.text.contains("Not After : Nov 21 22:15:00 2036 GMT"))
        }
    }

    @Test func `lets its authority vouch for every node's TLS key, and for nothing else`() async throws {
        let directory = try await Shared.written()
        func verify(_ path: String, _ further: String...) throws -> Bool {
            let arguments =
                ["verify", "-CAfile", "ledger-ca.crt", "-attime", "1795500000", "-purpose", "sslserver"]
                + further
            return try OpenSSL.run(arguments + [path], in: directory.path).status == 0
        }
        #expect(try verify("node1/tls.crt"))
        #expect(try verify("node2/tls.crt", "-verify_ip", "127.0.0.1"))
        #expect(try verify("node2/tls.crt", "-verify_hostname", "localhost"))
        #expect(try verify("node2/tls.crt", "-verify_hostname", "ledger.example.com"))
        #expect(try !verify("node2/tls.crt", "-verify_hostname", "other.example.com"))
        #expect(try !verify("node1/sealing.crt"))
        #expect(try !verify("clients/ci/ci.crt"))
    }

    @Test func `writes keys that match their certificates`() async throws {
        let directory = try await Shared.written()
        for (key, certificate) in [
            ("ledger-ca.key", "ledger-ca.crt"), ("node1/sealing.key", "nodes/node1.crt"),
            ("node1/sealing.key", "node1/sealing.crt"), ("node2/tls.key", "node2/tls.crt"),
            ("clients/dpo/dpo.key", "clients/dpo/dpo.crt"),
        ] {
            let fromKey = try OpenSSL.run("pkey", "-pubout", "-in", key, in: directory.path)
            let fromCertificate = try OpenSSL.run(
                "x509", "-noout", "-pubkey", "-in", certificate, in: directory.path)
            #expect(fromKey.status == 0)
            #expect(fromKey.text == fromCertificate.text)
        }
        let vote = try OpenSSL.run("pkey", "-noout", "-text", "-in", "node1/vote.key", in: directory.path)
        #expect(vote.text.contains("ED25519 Private-Key"))
        #expect(
            try Data(contentsOf: URL(filePath: directory.path + "/node1/ledger.key"))
                == Data(contentsOf: URL(filePath: directory.path + "/node2/ledger.key")))
        #expect(
            try Data(contentsOf: URL(filePath: directory.path + "/node1/vote.key"))
                != Data(contentsOf: URL(filePath: directory.path + "/node2/vote.key")))
    }

    @Test func `makes identities that seal and sign with plain tools`() async throws {
        let directory = try await Shared.written()
        let path = directory.path
        let document = Data("<kpis/>\n".utf8)
        try document.write(to: URL(filePath: path + "/kpi.xml"))

        let sealed = try OpenSSL.run(
            "cms", "-encrypt", "-binary", "-outform", "DER", "-aes-256-gcm", "-in", "kpi.xml", "-out",
            "sealed.der",
            "-recip", "nodes/node1.crt", "-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256",
            "-keyopt", "rsa_mgf1_md:sha256",
            "-recip", "nodes/node2.crt", "-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256",
            "-keyopt", "rsa_mgf1_md:sha256", in: path)
        #expect(sealed.status == 0, "\(sealed.text)")
        let signed = try OpenSSL.run(
            "cms", "-sign", "-binary", "-nodetach", "-nocerts", "-nosmimecap", "-keyid", "-econtent_type",
            "id-smime-ct-authEnvelopedData", "-md", "sha256", "-outform", "DER", "-signer",
            "clients/ci/ci.crt",
            "-inkey", "clients/ci/ci.key", "-in", "sealed.der", "-out", "entry.der", in: path)
        #expect(signed.status == 0, "\(signed.text)")

        let verified = try OpenSSL.run(
            "cms", "-verify", "-binary", "-inform", "DER", "-in", "entry.der", "-certfile",
            "clients/ci/ci.crt",
            "-CAfile", "clients/ci/ci.crt", "-partial_chain", "-purpose", "any", "-attime", "1795500000",
            "-out", "payload.der", in: path)
        #expect(verified.status == 0, "\(verified.text)")
        for node in ["node1", "node2"] {
            let opened = try OpenSSL.run(
                "cms", "-decrypt", "-binary", "-inform", "DER", "-in", "payload.der", "-recip",
                "nodes/\(node).crt",
                "-inkey", "\(node)/sealing.key", "-out", "\(node).xml", in: path)
            #expect(opened.status == 0, "\(opened.text)")
            #expect(try Data(contentsOf: URL(filePath: "\(path)/\(node).xml")) == document)
        }
        let stranger = try OpenSSL.run(
            "cms", "-verify", "-binary", "-inform", "DER", "-in", "entry.der", "-certfile",
            "clients/dpo/dpo.crt",
            "-CAfile", "clients/dpo/dpo.crt", "-partial_chain", "-purpose", "any", "-attime", "1795500000",
            "-out", "stranger.der", in: path)
        #expect(stranger.status != 0)
    }

    @Test func `puts the same keys into the genesis as into the files`() async throws {
        let directory = try await Shared.written()
        let genesis = try await Shared.ceremony.value.genesis
        #expect(genesis.origin == "example.com/kpi")
        #expect(genesis.members.map(\.name) == ["node1", "node2"])
        #expect(genesis.members.map(\.url) == ["https://127.0.0.1:7401", "https://127.0.0.1:7402"])
        #expect(genesis.members.map(\.peerAddress) == ["127.0.0.1:7501", "127.0.0.1:7502"])
        #expect(genesis.identities.map(\.identity) == ["ci", "analyst", "auditor", "operator", "dpo"])
        #expect(
            genesis.identities.map(\.roles) == [[.submitter], [.analyst], [.auditor], [.operator], [.dpo]])

        func der(_ arguments: String...) throws -> [UInt8] {
            let command = arguments + ["-outform", "DER", "-out", "out.der"]
            #expect(try OpenSSL.run(command, in: directory.path).status == 0)
            return try Array(Data(contentsOf: URL(filePath: directory.path + "/out.der")))
        }
        for (number, member) in genesis.members.enumerated() {
            let node = "node\(number + 1)"
            #expect(try der("x509", "-in", "nodes/\(node).crt") == member.sealingCertificate)
            #expect(try der("pkey", "-pubout", "-in", "\(node)/vote.key").suffix(32) == member.voteKey[...])
            let tlsKey = try der("pkey", "-pubout", "-in", "\(node)/tls.key")
            #expect(Ledger.Digest.sha256(tlsKey).bytes == member.tlsKeyDigest)
        }
        for identity in genesis.identities {
            let path = "clients/\(identity.identity)/\(identity.identity).crt"
            #expect(try der("x509", "-in", path) == identity.certificate)
        }
        #expect(try der("pkey", "-pubout", "-in", "token.key") == genesis.tokenKey)
        #expect(try der("pkey", "-pubout", "-in", "node1/ledger.key").suffix(32) == genesis.ledgerKey[...])
    }

    @Test func `tells a node its name, its ports and its data`() async throws {
        let directory = try await Shared.written()
        let text = try Data(contentsOf: URL(filePath: directory.path + "/node2/config.json"))
        let configuration = try JSONDecoder().decode(NodeConfiguration.self, from: text)
        #expect(
            configuration
                == NodeConfiguration(
                    node: "node2", https: .init(host: "127.0.0.1", port: 7402),
                    peers: .init(host: "127.0.0.1", port: 7502), data: "data"))
    }
}

@Suite struct `A vote key's file` {
    @Test func `gives back the seed it was made from`() async throws {
        let ceremony = try await Shared.ceremony.value
        for key in [ceremony.ledgerKey] + ceremony.nodes.map(\.vote) {
            #expect(Ed25519KeyFile.seed(Ed25519KeyFile.text(key)) == Array(key.rawRepresentation))
        }
    }

    @Test func `is refused when it is cut, or holds another key`() async throws {
        let ceremony = try await Shared.ceremony.value
        let text = Ed25519KeyFile.text(ceremony.ledgerKey)
        // Without its last line break it still is a whole PEM document.
        for length in 0..<text.count - 1 { #expect(Ed25519KeyFile.seed(String(text.prefix(length))) == nil) }
        #expect(Ed25519KeyFile.seed(ceremony.authority.keyPEM) == nil)
        #expect(Ed25519KeyFile.seed(ceremony.authority.certificatePEM) == nil)
    }
}
