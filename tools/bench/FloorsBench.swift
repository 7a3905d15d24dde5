import Ledger

/// What the machine can do at best: taken beside each figure, or alone by `bench floors`.
final class Floors {
    let bench: Workbench
    let echo: ServerProcess
    let echoLoad: LoadGenerator
    let verification: BareVerification
    let commit: DurableCommit
    private let kibibyte = [UInt8](repeating: 0x5A, count: 1024)

    init(_ bench: Workbench) throws {
        self.bench = bench
        echo = try ServerProcess("bench", ["echo", bench.ledger.directory + "/node1"])
        echoLoad = try LoadGenerator(port: echo.port)
        verification = try BareVerification(pem: bench.ledger.submitterKeyPEM)
        commit = try DurableCommit(directory: bench.directory + "/commit")
    }

    func stop() { echo.stop() }

    /// One check of a vote: Ed25519 over what a COMMIT signs, about.
    func voteMicroseconds() -> Double {
        guard let key = SigningKey(seed: [UInt8](repeating: 9, count: SigningKey.seedByteCount)) else {
            preconditionFailure("a seed of the right size makes a key")
        }
        let message = Array(kibibyte.prefix(200))
        let signature = key.sign(message)
        let count = 500
        let time = seconds {
            for _ in 0..<count {
                precondition(key.verificationKey.isValid(signature, over: message), "it has just been signed")
            }
        }
        return time / Double(count) * 1e6
    }

    /// SHA-256 of a kibibyte, in megabytes a second on one thread.
    func hashMegabytesPerSecond() -> Double {
        let count = 20_000
        var kept: UInt8 = 0
        let time = seconds { for _ in 0..<count { kept ^= Digest.sha256(kibibyte).bytes[0] } }
        precondition(kept == 0, "an even number of one digest cancels out")
        return Double(count * kibibyte.count) / time / 1e6
    }
}

struct FloorsBench {
    let bench: Workbench

    init(_ bench: Workbench) { self.bench = bench }

    func run() async throws {
        let floors = try Floors(bench)
        defer { floors.stop() }
        let bodies = try bench.ledger.submissions(4000, .session, prefix: "floors")
        var (one, many, oneLatency) = (Series(), Series(), Series())
        var (commit, single, all, hash, vote) = (Series(), Series(), Series(), Series(), Series())
        _ = try await floors.echoLoad.send(bodies, connections: 64)
        for _ in 0..<bench.rounds {
            let alone = try await floors.echoLoad.send(Array(bodies.prefix(1000)), connections: 1)
            one.add(alone.perSecond)
            oneLatency.add(alone.latencyMicroseconds.percentile(0.5))
            many.add(try await floors.echoLoad.send(bodies, connections: 64).perSecond)
            commit.add(try floors.commit.microseconds(200).percentile(0.5))
            single.add(floors.verification.perSecond(threads: 1))
            all.add(floors.verification.perSecond(threads: Machine.cores))
            hash.add(floors.hashMegabytesPerSecond())
            vote.add(floors.voteMicroseconds())
        }
        var report = Report("Floors")
        report.add("HTTPS echo of \(bodies[0].count) bytes, 1 connection", .perSecond, one)
        report.add("HTTPS echo, 1 connection, median", .microseconds, oneLatency)
        report.add("HTTPS echo, 64 connections", .perSecond, many)
        report.add("one durable commit, median", .microseconds, commit)
        report.add("RSA-3072 verification, 1 thread", .perSecond, single)
        report.add("RSA-3072 verification, \(Machine.cores) threads", .perSecond, all)
        report.add("SHA-256 of 1 KiB, 1 thread", .megabytesPerSecond, hash)
        report.add("one check of Ed25519", .microseconds, vote)
        report.print()
    }
}
