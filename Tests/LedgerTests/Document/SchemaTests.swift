import Foundation
import Ledger
import TestSupport
import Testing

/// xmllint is libxml2's own command; it sees the files of the schemas, not the bytes in our binary.
private let xmllint = "/usr/bin/xmllint"

@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: xmllint), "xmllint is not installed"))
struct `The schema files` {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources/Ledger/Document")

    /// Whether another validator, told only the schema's file, calls the document valid.
    private func isValid(_ text: String, _ schema: String) throws -> Bool {
        let directory = FileManager.default.temporaryDirectory.appending(path: "schema-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let file = directory.appending(path: "document.xml")
        try Data(text.utf8).write(to: file)
        let process = Process()
        process.executableURL = URL(filePath: xmllint)
        process.arguments = [
            "--nonet", "--noout", "--schema", Self.folder.appending(path: "\(schema).xsd").path(),
            file.path(),
        ]
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    @Test func `accept what we write`() throws {
        var generator = SeededGenerator(seed: 1)
        #expect(try isValid(exampleDocument, "kpi"))
        #expect(try isValid(generator.document().xml, "kpi"))
        #expect(try isValid(generator.genesis().xml, "genesis"))
        let session = SessionDocument(
            ledger: "l", submitter: "s", id: "1", key: generator.bytes(32), expires: generator.time())
        #expect(try isValid(session.xml, "session"))
        let actions: [GovernanceRecord.Action] = [
            .enrol(generator.enrolment()), .erase(EntryIndex(0), reason: "r"),
            .revoke(identity: "i", keyIdentifier: generator.bytes(20), reason: "r"),
        ]
        for action in actions {
            #expect(try isValid(GovernanceRecord(ledger: "l", sequence: 1, action: action).xml, "governance"))
        }
        let reserved =
            "<configure xmlns=\"urn:kpi-ledger:governance:1\" ledger=\"l\" sequence=\"1\"><a/></configure>"
        #expect(try isValid(reserved, "governance"))
    }

    @Test func `refuse what breaks them`() throws {
        #expect(try !isValid(kpis(""), "kpi"))
        #expect(try !isValid(exampleDocument.replacing(" name=\"test.cases\"", with: ""), "kpi"))
        #expect(try !isValid(exampleDocument.replacing("10:15:00Z", with: "10:15:00"), "kpi"))
        #expect(try !isValid(exampleDocument, "session"))
    }
}
