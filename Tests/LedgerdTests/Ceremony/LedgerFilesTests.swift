import Foundation
import TestSupport
import Testing

@testable import ledgerd

@Suite struct `The files of a ledger` {
    private let files = LedgerFiles(
        directories: ["node1/data"],
        files: [.secret("node1/vote.key", "secret"), .open("genesis.xml", "text")])

    @Test func `are written into a directory that does not exist yet, parents included`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/a/b/ledger"
        try files.write(to: path)
        #expect(try String(contentsOfFile: path + "/node1/vote.key", encoding: .utf8) == "secret")
        #expect(FileManager.default.fileExists(atPath: path + "/node1/data"))
    }

    @Test func `are refused by a directory that holds anything`() throws {
        for name in ["note.txt", ".hidden", "..."] {
            let directory = try TemporaryDirectory()
            try Data().write(to: URL(filePath: directory.path + "/" + name))
            #expect(throws: LedgerFilesFailure.notEmpty(directory.path)) {
                try files.write(to: directory.path)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [name])
        }
    }

    @Test func `are refused a second time, and the first stay as they are`() throws {
        let directory = try TemporaryDirectory()
        try files.write(to: directory.path)
        let other = LedgerFiles(directories: [], files: [.open("genesis.xml", "other")])
        #expect(throws: LedgerFilesFailure.notEmpty(directory.path)) { try other.write(to: directory.path) }
        #expect(try String(contentsOfFile: directory.path + "/genesis.xml", encoding: .utf8) == "text")
    }

    @Test func `are refused where a file stands`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/file"
        try Data().write(to: URL(filePath: path))
        #expect(throws: LedgerFilesFailure.notADirectory(path)) { try files.write(to: path) }
    }

    @Test func `fail with the path and the reason where the system refuses`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/" + String(repeating: "x", count: 300)
        #expect(throws: LedgerFilesFailure.self) { try files.write(to: path) }
    }
}
