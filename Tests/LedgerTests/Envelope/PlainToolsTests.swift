import Foundation
import Ledger
import TestSupport
import Testing

/// Users and auditors have `openssl` and nothing of ours; these are their lines.
@Suite struct `Plain tools` {
    private let directory: TemporaryDirectory
    private let identities: TestIdentities
    private let document = Array("<kpis>\n<a/>\r\n</kpis>\n".utf8)

    init() throws {
        directory = try TemporaryDirectory()
        identities = try TestIdentities.shared()
        for identity in identities.nodes + [identities.rsa, identities.p256, identities.otherP256] {
            try identity.write(to: directory)
        }
        try directory.write(document, "kpi.xml")
    }

    @Test(arguments: [1, 4], ["ci", "ec"])
    func `make a submission that is accepted, opened and verified`(nodeCount: Int, signer: String) throws {
        let nodes = identities.nodes.prefix(nodeCount)
        try directory.shell(PlainTools.encrypt("kpi.xml", to: nodes.map(\.name), output: "sealed.der"))
        try directory.shell(PlainTools.sign("sealed.der", as: [signer], output: "entry.der"))

        let submission = try Submission(try directory.read("entry.der"))
        let author = try #require(identities.signers.first { $0.name == signer })
        #expect(submission.statement.contentType == .sealed)
        #expect(submission.statement.signers.map(\.keyIdentifier) == [author.certificate.keyIdentifier])
        for identity in identities.signers {
            #expect(submission.statement.isSigned(by: identity.certificate) == (identity.name == signer))
        }
        let payload = try #require(submission.payload)
        #expect(payload == (try directory.read("sealed.der")))
        #expect(try Statement(canonical: submission.statement.bytes) == submission.statement)

        let sealed = try SealedPayload(payload)
        #expect(sealed.digest == submission.statement.payloadDigest)
        #expect(sealed.recipients == .nodes(count: nodeCount))
        #expect(sealed.isSealed(exactlyTo: nodes.reversed().map(\.certificate)))
        var keys: Set<[UInt8]> = []
        for node in nodes {
            let opened = try sealed.open(with: try node.decryptionKey(), certificate: node.certificate)
            #expect(opened.content == document)
            keys.insert(opened.contentKey)
        }
        #expect(keys.count == 1)

        // The auditor's line, formats.md 2.3.
        try directory.write(submission.statement.bytes, "statement.der")
        try directory.write(payload, "payload.der")
        try directory.shell(PlainTools.verify("statement.der", payload: "payload.der", signer: signer))
        try directory.write(payload + [0], "other.der")
        #expect(throws: ToolFailure.self) {
            try directory.shell(PlainTools.verify("statement.der", payload: "other.der", signer: signer))
        }
    }

    @Test func `may name recipients by key identifier`() throws {
        let node = identities.nodes[0]
        try directory.shell(
            PlainTools.encrypt("kpi.xml", to: ["node1"], output: "sealed.der", options: "-keyid"))
        let sealed = try SealedPayload(try directory.read("sealed.der"))
        #expect(sealed.isSealed(exactlyTo: [node.certificate]))
        #expect(
            try sealed.open(with: try node.decryptionKey(), certificate: node.certificate).content == document
        )
    }

    @Test func `open what is sealed here, to nodes and to a session`() throws {
        let sealed = try SealedPayload.seal(document, to: identities.nodes.map(\.certificate))
        try directory.write(sealed.bytes, "sealed.der")
        for node in identities.nodes {
            try directory.shell(
                "openssl cms -decrypt -binary -inform DER -in sealed.der -recip \(node.name).crt "
                    + "-inkey \(node.name).key -out opened.xml")
            #expect(try directory.read("opened.xml") == document)
        }

        let key = try RandomBytes.make(32)
        let keyID = try #require(SessionKeyID(try RandomBytes.make(16)))
        let session = try SealedPayload.seal(document, sessionKey: key, keyID: keyID)
        try directory.write(session.bytes, "session.der")
        try directory.shell(
            "openssl cms -decrypt -binary -inform DER -in session.der -secretkey \(key.hexadecimal) "
                + "-secretkeyid \(keyID.bytes.hexadecimal) -out opened.xml")
        #expect(try directory.read("opened.xml") == document)
    }

    @Test func `seal to a session`() throws {
        let key = try RandomBytes.make(32)
        let keyID = try #require(SessionKeyID(Array(0..<16)))
        try directory.shell(
            "openssl cms -encrypt -binary -outform DER -aes-256-gcm -in kpi.xml -out sealed.der "
                + "-secretkey \(key.hexadecimal) -secretkeyid \(keyID.bytes.hexadecimal)")
        let sealed = try SealedPayload(try directory.read("sealed.der"))
        #expect(sealed.recipients == .session(keyID: keyID))
        #expect(try sealed.open(sessionKey: key).content == document)
        #expect(!sealed.isSealed(exactlyTo: []))
    }

    @Test(arguments: ["ci", "ec"])
    func `verify what is signed here`(signer: String) throws {
        let author = try #require(identities.signers.first { $0.name == signer })
        let payload = try SealedPayload.seal(document, to: [identities.nodes[0].certificate]).bytes
        let submission = try Submission.sign(
            payload, as: .sealed, with: try author.signingKey(), certificate: author.certificate,
            at: try #require(Timestamp(rfc3339: "2026-11-22T10:15:00.250Z")))
        #expect(submission.statement.isSigned(by: author.certificate))
        #expect(submission.statement.signers[0].signingTime.description == "2026-11-22T10:15:00.000Z")
        #expect(try Submission(submission.bytes) == submission)
        try directory.write(submission.statement.bytes, "statement.der")
        try directory.write(payload, "payload.der")
        try directory.shell(PlainTools.verify("statement.der", payload: "payload.der", signer: signer))
        try directory.write(submission.bytes, "entry.der")
        let printed = try directory.shell("openssl cms -cmsout -print -noout -inform DER -in entry.der")
        #expect(printed.contains("id-smime-ct-authEnvelopedData"))
    }

    @Test func `make a governance record of several signers`() throws {
        let type = "2.25.147613410824489915555898368594167689078"
        try directory.shell(
            PlainTools.sign("kpi.xml", as: ["ci", "ec", "ec2"], output: "record.der", type: type))
        let submission = try Submission(try directory.read("record.der"))
        let statement = submission.statement
        #expect(statement.contentType == .governance)
        #expect(statement.content == document)
        #expect(submission.payload == nil)
        #expect(statement.signers.count == 3)
        for (position, signer) in statement.signers.enumerated() {
            let authors = identities.signers.filter { $0.certificate.keyIdentifier == signer.keyIdentifier }
            #expect(authors.count == 1)
            #expect(statement.isSigned(by: authors[0].certificate, signer: position))
        }
        #expect(try Statement(canonical: statement.bytes) == statement)
        try directory.write(statement.bytes, "statement.der")
        try directory.shell(
            "cat ci.crt ec.crt ec2.crt > all.crt; openssl cms -verify -binary -inform DER -in statement.der "
                + "-certfile all.crt -CAfile all.crt -partial_chain -purpose any -out out.xml")
        #expect(try directory.read("out.xml") == document)
    }
}
