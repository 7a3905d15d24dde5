import Ledger
import Testing

@Suite struct `A commit certificate` {
    static func code(_ certificate: CommitCertificate, _ electorate: Electorate) -> ProofError.Code? {
        do {
            try certificate.verify(by: electorate)
            return nil
        } catch { return error.code }
    }

    @Test(arguments: 1...7) func `holds exactly with a quorum`(_ nodes: Int) throws {
        let ledger = try VotedLedger(nodes: nodes)
        let header = try ledger.header(size: 1, root: .zero)
        let quorum = nodes - (nodes - 1) / 3
        for count in 0...nodes {
            let certificate = try ledger.certificate(Array(1...nodes).suffix(count), for: header)
            #expect(Self.code(certificate, ledger.electorate) == (count >= quorum ? nil : .quorumMissed))
        }
    }

    @Test func `becomes a checkpoint that the policy accepts`() throws {
        let ledger = try VotedLedger(nodes: 4)
        let header = try ledger.header(size: 77, root: .sha256([5]))
        let certificate = try ledger.certificate([2, 3, 4], for: header)
        let note = try certificate.checkpointNote(of: ledger.electorate, ledgerKey: ledger.ledgerKey)
        let verified = try ledger.policy.verify(CheckpointNote(parsing: note.bytes))
        #expect(verified.checkpoint.headerHash == header.hash)
        #expect(verified.witnesses == ["node2", "node3", "node4"])
        let times = note.note.signatures.dropFirst().map { Cosignature($0.bytes)?.seconds }
        #expect(times == [1_790_000_000, 1_790_000_000, 1_790_000_000])
    }

    @Test func `is spoiled by one false vote, another header, or another ledger`() throws {
        let ledger = try VotedLedger(nodes: 4)
        let header = try ledger.header(size: 77, root: .sha256([5]))
        let good = try ledger.certificate([1, 2, 3, 4], for: header)
        #expect(Self.code(good, ledger.electorate) == nil)

        var votes = good.cosignatures
        votes[1] = CommitCertificate.Vote(member: votes[1].member, signature: votes[2].signature)
        let spoiled = try #require(CommitCertificate(header: header, cosignatures: votes))
        #expect(Self.code(spoiled, ledger.electorate) == .badSignature)

        let stranger = CommitCertificate.Vote(member: ReplicaID(4), signature: good.cosignatures[0].signature)
        let strange = try #require(
            CommitCertificate(header: header, cosignatures: good.cosignatures + [stranger]))
        #expect(Self.code(strange, ledger.electorate) == .badSignature)
        #expect(throws: ProofError.self) {
            try strange.checkpointNote(of: ledger.electorate, ledgerKey: ledger.ledgerKey)
        }

        for other in [
            try ledger.header(view: 8, size: 77, root: .sha256([5])),
            try ledger.header(height: 5313, size: 77, root: .sha256([5])),
            try ledger.header(size: 78, root: .sha256([5])), try ledger.header(size: 77, root: .sha256([6])),
        ] {
            let moved = try #require(CommitCertificate(header: other, cosignatures: good.cosignatures))
            #expect(Self.code(moved, ledger.electorate) == .badSignature)
        }
        let elsewhere = try Electorate(origin: "example.com/other", members: ledger.members)
        #expect(Self.code(good, elsewhere) == .badSignature)
    }

    @Test func `has one vote of each member and one encoding`() throws {
        let ledger = try VotedLedger(nodes: 4)
        let header = try ledger.header(size: 77, root: .sha256([5]))
        let good = try ledger.certificate([1, 2, 4], for: header)
        #expect(try ledger.certificate([4, 1, 2], for: header) == good, "the order given does not matter")
        let votes = good.cosignatures
        #expect(CommitCertificate(header: header, cosignatures: votes + [votes[0]]) == nil)
        let short = CommitCertificate.Vote(member: ReplicaID(3), signature: [1])
        #expect(CommitCertificate(header: header, cosignatures: votes + [short]) == nil)
        let crowd = (0..<65).map {
            CommitCertificate.Vote(member: ReplicaID($0), signature: votes[0].signature)
        }
        #expect(CommitCertificate(header: header, cosignatures: crowd) == nil)
        #expect(CommitCertificate(header: header, cosignatures: crowd.dropLast()) != nil)

        let bytes = good.encoded
        #expect(bytes.count == 165 + 2 + 3 * 66)
        #expect(try CommitCertificate(decoding: bytes) == good)
        // Two votes exchanged, and one vote given twice.
        let (head, first, second) = (bytes[..<167], bytes[167..<233], bytes[233..<299])
        #expect(throws: DecodingFailure.self) {
            try CommitCertificate(decoding: Array(head + second + first + bytes[299...]))
        }
        #expect(throws: DecodingFailure.self) {
            try CommitCertificate(decoding: Array(head + first + first + bytes[299...]))
        }
    }

    @Test func `survives no damage and never traps`() throws {
        let ledger = try VotedLedger(nodes: 4)
        let good = try ledger.certificate([1, 2, 3], for: ledger.header(size: 77, root: .sha256([5])))
        let bytes = good.encoded
        for length in 0..<bytes.count {
            #expect(throws: DecodingFailure.self) { try CommitCertificate(decoding: Array(bytes[..<length])) }
        }
        #expect(throws: DecodingFailure.self) { try CommitCertificate(decoding: bytes + [0]) }
        for damaged in damaged(bytes, flips: 300, seed: 9) {
            guard let certificate = try? CommitCertificate(decoding: damaged) else { continue }
            #expect(certificate.encoded == damaged)
            // The vote does not cover the parent by itself, but the header's hash, which does.
            #expect(Self.code(certificate, ledger.electorate) != nil)
        }
    }
}

@Suite struct `An electorate` {
    static func member(_ name: String, _ key: UInt8) throws -> Member {
        Member(
            name: name, url: "", peerAddress: "", voteKey: try signingKey(key).verificationKey.bytes,
            sealingCertificate: [], tlsKeyDigest: [])
    }

    @Test func `names its keys after ledger and member`() throws {
        let electorate = try Electorate(
            origin: "example.com/kpi", members: [Self.member("a", 1), Self.member("b", 2)])
        #expect(electorate.keys.map(\.name.description) == ["example.com/kpi/a", "example.com/kpi/b"])
        #expect(electorate.key(of: ReplicaID(1))?.kind == .cosignature)
        #expect(electorate.key(of: ReplicaID(2)) == nil)
        #expect(!electorate.isValid([], by: ReplicaID(.max), over: []))
    }

    @Test func `gives nobody two votes`() throws {
        let a = try Self.member("a", 1)
        let short = Member(
            name: "c", url: "", peerAddress: "", voteKey: [1], sealingCertificate: [], tlsKeyDigest: [])
        for members in [
            [], [a, a], [a, try Self.member("a", 2)], [a, try Self.member("b", 1)], [a, short],
            [try Self.member("a b", 1)], try (0..<65).map { try Self.member("n\($0)", $0) },
        ] {
            #expect(throws: ProofError.self) { try Electorate(origin: "example.com/kpi", members: members) }
        }
        #expect(throws: ProofError.self) { try Electorate(origin: "", members: [Self.member(" ", 1)]) }
    }
}
