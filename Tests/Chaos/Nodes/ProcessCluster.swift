import Foundation
import Glibc
import Synchronization

/// The nodes of a ledger as real processes, and the network between them.
final class ProcessCluster: Sendable {
    private struct Place: Sendable {
        var process: NodeProcess?
        /// Its end was ordered.
        var mayEnd = false
        var isPaused = false
        var starts = 0
        var peakBytes = 0
    }

    let folder: LedgerFolder
    private let mesh: LinkMesh?
    private let findings: Findings
    private let places: Mutex<[Place]>

    var size: Int { folder.names.count }

    /// - Parameter mesh: between the nodes; they dial each other directly without one.
    init(_ folder: LedgerFolder, mesh: LinkMesh? = nil, findings: Findings) throws {
        self.folder = folder
        self.mesh = mesh
        self.findings = findings
        places = Mutex(Array(repeating: Place(), count: folder.names.count))
        if let mesh { try folder.route(through: mesh) }
    }

    private func log(_ node: Int) -> String { folder.directory(node) + "/output.txt" }

    /// Starts a node and waits until it serves.
    func start(_ node: Int) async throws {
        let process = try NodeProcess(directory: folder.directory(node), log: log(node))
        places.withLock { places in
            places[node].process = process
            places[node].mayEnd = false
            places[node].isPaused = false
            places[node].starts += 1
        }
        Task {
            let status = await process.ended()
            let isExpected = places.withLock { places in
                places[node].process !== process || places[node].mayEnd
            }
            if !isExpected {
                findings.add("\(folder.names[node]) ended by itself, with \(status): \(lastWords(node))")
            }
        }
        if !(await process.serves()), !places.withLock({ $0[node].mayEnd }) {
            throw ChaosFailure("\(folder.names[node]) does not serve: \(lastWords(node))")
        }
    }

    func startAll() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for node in 0..<size { group.addTask { try await self.start(node) } }
            try await group.waitForAll()
        }
    }

    func isRunning(_ node: Int) -> Bool {
        places.withLock { $0[node].process.map { $0.status == nil } ?? false }
    }

    /// SIGKILL; returns when it is gone.
    func kill(_ node: Int) async { _ = await end(node, SIGKILL) }

    /// SIGTERM; it has to end in order.
    func terminate(_ node: Int) async {
        guard let status = await end(node, SIGTERM), status != 0 else { return }
        findings.add(
            "\(folder.names[node]) ended with \(status) when it was told to stop: \(lastWords(node))")
    }

    private func end(_ node: Int, _ signal: Int32) async -> Int32? {
        let process = places.withLock { places in
            places[node].mayEnd = true
            return places[node].process
        }
        guard let process, process.status == nil else { return nil }
        notePeak(node)
        await process.signal(signal)
        return await process.ended()
    }

    func pause(_ node: Int) async {
        await places.withLock { places in
            places[node].isPaused = true
            return places[node].process
        }?.signal(SIGSTOP)
    }

    func resume(_ node: Int) async {
        await places.withLock { places in
            places[node].isPaused = false
            return places[node].process
        }?.signal(SIGCONT)
    }

    /// Continues what is paused and starts what is gone.
    func restore() async throws {
        for node in 0..<size {
            if places.withLock({ $0[node].isPaused }) { await resume(node) }
            if !isRunning(node) { try await start(node) }
        }
    }

    func terminateAll() async {
        await withTaskGroup(of: Void.self) { group in
            for node in 0..<size { group.addTask { await self.terminate(node) } }
        }
        await mesh?.stop()
    }

    /// The most memory that each node has had.
    var peaks: [Int] {
        for node in 0..<size { notePeak(node) }
        return places.withLock { $0.map(\.peakBytes) }
    }

    private func notePeak(_ node: Int) {
        guard let bytes = places.withLock({ $0[node].process })?.peakBytes else { return }
        places.withLock { $0[node].peakBytes = max($0[node].peakBytes, bytes) }
    }

    /// The end of what a node has said.
    func lastWords(_ node: Int) -> String {
        let text = (try? String(contentsOfFile: log(node), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(8).joined(separator: " | ")
    }
}
