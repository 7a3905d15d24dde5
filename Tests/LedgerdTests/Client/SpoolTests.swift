import Foundation
import TestSupport
import Testing

@testable import ledgerd

@Suite struct `A spool` {
    private let directory: TemporaryDirectory
    private let spool: Spool

    init() throws {
        directory = try TemporaryDirectory()
        spool = try Spool(directory.path + "/deep/spool")
    }

    @Test func `gives back what it keeps, oldest first`() throws {
        let entries = (0..<5).map { Array("entry \($0)".utf8) }
        for (age, entry) in entries.enumerated() {
            try spool.keep(entry)
            // Files of one instant have no order: give each its second.
            for file in spool.files() where spool.read(file) == entry {
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSince1970: 1_700_000_000 + Double(age))],
                    ofItemAtPath: "\(spool.directory)/\(file)")
            }
        }
        #expect(spool.files().map { spool.read($0) } == entries)
    }

    @Test func `keeps the same entry once`() throws {
        try spool.keep([1, 2, 3])
        try spool.keep([1, 2, 3])
        #expect(spool.files().count == 1)
    }

    @Test func `leaves no draft behind, and lets only its owner read`() throws {
        try spool.keep([1, 2, 3])
        let names = try FileManager.default.contentsOfDirectory(atPath: spool.directory)
        #expect(names == spool.files())
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(spool.directory)/\(names[0])")
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func `does not give back what was altered`() throws {
        try spool.keep([1, 2, 3])
        let file = try #require(spool.files().first)
        try Data([1, 2, 4]).write(to: URL(filePath: "\(spool.directory)/\(file)"))
        #expect(spool.read(file) == nil)
        spool.setAside(file)
        #expect(spool.files().isEmpty)
    }

    @Test func `forgets what was sent, also twice`() throws {
        try spool.keep([1, 2, 3])
        let file = try #require(spool.files().first)
        spool.remove(file)
        spool.remove(file)
        #expect(spool.files().isEmpty)
    }

    @Test func `is refused where a file is in the way`() throws {
        try directory.write([], "file")
        #expect(throws: CommandFailure.self) { try Spool(directory.path + "/file/spool") }
    }
}
