import Foundation
import TestSupport
import Testing

@testable import ledgerd

@Suite struct `The command verify` {
    @Test func `accepts an honest ledger, over HTTPS and from its directory, and names damage`() async throws
    {
        let ledger = try await ServedLedger(in: ServedLedger.copy())
        // Nothing logged yet is nothing wrong.
        try ledger.run("verify").expecting(0)

        for run in 1...3 {
            try ledger.run("append", "--measure", "x=\(run)", "--pipeline", "p", "--run", "\(run)").expecting(
                0)
        }
        let first = try ledger.run("verify", "--ledger", ledger.url, "--save", "seen").expecting(0)
        #expect(first.output.hasPrefix("verified: 3 entries in 3 blocks"))
        #expect(!first.output.contains("not shown"))

        try ledger.run("erase", "1", "--reason", "asked for").expecting(0)
        try ledger.run("append", "--measure", "x=4", "--pipeline", "p", "--run", "4").expecting(0)
        let since = try ledger.run("verify", "--since", "seen", "--format", "json").expecting(0)
        #expect(since.output.contains(#""entries":5"#))
        #expect(since.output.contains(#""erased":1"#))
        let quick = try ledger.run("verify", "--since", "seen", "--incremental").expecting(0)
        #expect(quick.output.contains("in full: 2"))

        // A reader without a role sees everything but payloads.
        try ledger.directory.shell("mkdir public && cp policy ledger-ca.crt genesis.xml seen public/")
        let open = try Command.run(
            "verify", "--ledger", ledger.url, "--policy", "policy", "--ca", "ledger-ca.crt",
            in: ledger.path + "/public"
        ).expecting(0)
        #expect(open.output.contains("payloads not shown to this reader"))

        try ledger.stop()
        let stored = try Command.run("verify", "--directory", "node1", "--since", "seen", in: ledger.path)
            .expecting(0)
        #expect(stored.output.hasPrefix("verified: 5 entries"))
        // The one node of a ledger's directory is meant; of several, one has to be named.
        try Command.run("verify", "--directory", ".", in: ledger.path).expecting(0)
        try ledger.directory.shell("cp -r node1 node2")
        let several = try Command.run("verify", "--directory", ".", in: ledger.path).expecting(2)
        #expect(several.error.contains("./node1, ./node2"))
        try damage(ledger)
    }

    /// Every page of the log but the first two, overwritten: whatever the reader makes of it, the command says so.
    private func damage(_ ledger: ServedLedger) throws {
        let path = ledger.path + "/node1/data/log/data.mdb"
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        // The end of the file is gone: the map's pages there kill whoever reads them.
        try Data(bytes[..<16_384]).write(to: URL(filePath: path))
        let cut = try Command.run("verify", "--directory", "node1", in: ledger.path).expecting(1)
        #expect(cut.error.contains("store damaged"))

        for index in bytes.indices where index >= 8192 && index % 7 == 0 { bytes[index] ^= 0xFF }
        try Data(bytes).write(to: URL(filePath: path))
        let answer = try Command.run("verify", "--directory", "node1", in: ledger.path).expecting(1)
        #expect(answer.error.split(separator: "\n").first?.contains("store") == true)
    }

    @Test func `refuses a policy of others, and ends with 3 where it cannot verify`() async throws {
        let ledger = try await ServedLedger.shared.value
        let other = try TemporaryDirectory()
        try other.shell("cp '\(ledger.path)/policy' . && cp '\(ledger.path)/ledger-ca.crt' .")
        try Command.run(
            "verify", "--ledger", "https://127.0.0.1:1", "--policy", "policy", "--ca", "ledger-ca.crt",
            in: other.path
        ).expecting(3)
        try Command.run("verify", "--ledger", ledger.url, "--ca", "ledger-ca.crt", in: other.path).expecting(
            2)
        try Command.run("verify", "--directory", "absent", in: other.path).expecting(2)
    }
}
