import Foundation
import Ledger
import NIOHTTP1

/// The log as every node serves it.
extension LedgerClient {
    /// What a node says about the ledger and its members.
    struct Nodes: Decodable, Sendable {
        struct Node: Decodable, Sendable {
            let name: String
            let url: String
        }
        let origin: String
        let size: UInt64
        let nodes: [Node]
        /// The number of the last governance record, where the node tells it.
        let governanceSequence: UInt64?
    }

    func nodes() async throws(ClientFailure) -> Nodes {
        try Self.decode(try await send("/v1/nodes"), "/v1/nodes")
    }

    /// The exact bytes.
    func genesis() async throws(ClientFailure) -> [UInt8] { try await send("/v1/genesis").body }

    /// The newest checkpoint, unchecked; `nil` while nothing has been logged.
    func checkpoint() async throws(ClientFailure) -> CheckpointNote? {
        let answer: Answer
        do { answer = try await send("/checkpoint", limitBytes: Limits.noteBytes) } catch {
            if case .refused(let refusal) = error, refusal.status == 404 { return nil }
            throw error
        }
        do { return try CheckpointNote(parsing: answer.body) } catch {
            throw .nonsense("/checkpoint: \(error.reason)")
        }
    }

    /// Headers with their certificates, unchecked, beginning with `from`: at least one, at most a thousand.
    func blocks(
        from: UInt64, through to: UInt64
    ) async throws(ClientFailure) -> [(header: BlockHeader, certificate: CommitCertificate?)] {
        struct Line: Decodable {
            let header: Data
            let certificate: Data?
        }
        let path = "/v1/blocks?from=\(from)&to=\(to)"
        let answer = try await send(path, limitBytes: Limits.blocksAnswerBytes)
        var found: [(header: BlockHeader, certificate: CommitCertificate?)] = []
        for line in answer.body.split(separator: 0x0A) {
            do {
                let line = try JSONDecoder().decode(Line.self, from: Data(line))
                found.append(
                    (
                        try BlockHeader(decoding: [UInt8](line.header)),
                        try line.certificate.map { try CommitCertificate(decoding: [UInt8]($0)) }
                    ))
            } catch { throw .nonsense("\(path): line \(found.count + 1) is not a block") }
        }
        guard !found.isEmpty else { throw .nonsense("\(path): there is no block") }
        guard UInt64(found.count) <= to - from + 1 else {
            throw .nonsense("\(path): there are too many blocks")
        }
        return found
    }

    /// Leaves, unchecked: those of `indexes` that lie in the bundle of the first.
    ///
    /// - Precondition: `indexes` is not empty.
    func leaves(_ indexes: Range<UInt64>) async throws(ClientFailure) -> [[UInt8]] {
        let width = UInt64(HashTile.fullWidth)
        let number = indexes.lowerBound / width
        let start = number * width
        let end = min(indexes.upperBound, start + width)
        guard let tile = TilePath(.entries, index: number, width: Int(end - start)) else {
            throw .nonsense("there is no entry \(indexes.lowerBound)")
        }
        let answer = try await send(tile.text, limitBytes: Limits.bundleBytes)
        do {
            return Array(
                try EntryBundle.decode(answer.body, width: tile.width).dropFirst(
                    Int(indexes.lowerBound - start)))
        } catch { throw .nonsense("\(tile.text): \(error)") }
    }

    /// Hashes of a level, unchecked.
    func hashes(level: Int, range: Range<UInt64>) async throws(ClientFailure) -> [Digest] {
        let width = UInt64(HashTile.fullWidth)
        var found: [Digest] = []
        var next = range.lowerBound
        while next < range.upperBound {
            let number = next / width
            let end = min(range.upperBound, (number + 1) * width)
            guard let tile = TilePath(.hashes(level: level), index: number, width: Int(end - number * width))
            else {
                throw .nonsense("there is no level \(level)")
            }
            let answer = try await send(tile.text, limitBytes: HashTile.fullWidth * Digest.byteCount)
            do {
                found += try HashTile.decode(answer.body, width: tile.width).dropFirst(
                    Int(next - number * width))
            } catch { throw .nonsense("\(tile.text): \(error)") }
            next = end
        }
        return found
    }

    /// Asks one address, whatever the others would say and whatever the status is.
    func get(_ path: String, at url: String) async throws(ClientFailure) -> Answer {
        try await attempt(.GET, url, path)
    }

    func send(_ path: String, limitBytes: Int = Limits.smallAnswerBytes) async throws(ClientFailure) -> Answer
    {
        try await send(.GET, path, limitBytes: limitBytes)
    }

    static func decode<Body: Decodable>(_ answer: Answer, _ path: String) throws(ClientFailure) -> Body {
        do { return try JSONDecoder().decode(Body.self, from: Data(answer.body)) } catch {
            throw .nonsense("\(path) is not the JSON that it should be")
        }
    }
}
