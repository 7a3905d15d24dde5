import Foundation
import Hummingbird
import Ledger
import Replication

/// The log as anyone may read it: checkpoint, tiles, proofs and blocks. They hold no KPI.
struct LogRoutes: Sendable {
    let node: Node

    @Sendable func checkpoint(_ request: Request, _ context: NodeContext) async throws -> Response {
        guard let note = try node.receipts.checkpoint(node.driver.published) else {
            throw Problem(
                "no-checkpoint", .notFound, "nothing has been logged yet: the first entry makes the first one"
            )
        }
        return .bytes(note.bytes, "text/plain; charset=utf-8", .seconds)
    }

    /// `/tile/<L>/<N>[.p/<W>]` and `/tile/entries/<N>[.p/<W>]` (C2SP tlog-tiles).
    @Sendable func tile(_ request: Request, _ context: NodeContext) async throws -> Response {
        let path: TilePath
        do { path = try TilePath(parsing: request.uri.path) } catch {
            throw Problem("bad-tile", .badRequest, error.reason)
        }
        guard path.exists(treeSize: node.driver.published.size), let range = path.range else {
            throw Problem.notFound
        }
        let bytes: [UInt8]
        switch path.content {
        case .hashes(let level):
            bytes = HashTile.encode(try LogTree(node.log).hashes(level: level, range: range))
        case .entries:
            bytes = EntryBundle.encode(
                try node.log.leaves(EntryIndex(range.lowerBound)..<EntryIndex(range.upperBound)))
        }
        return .bytes(bytes, "application/octet-stream", .immutable)
    }

    private struct Consistency: Encodable {
        let from: UInt64
        let to: UInt64
        let hashes: [Data]
    }

    @Sendable func consistency(_ request: Request, _ context: NodeContext) async throws -> Response {
        let size = node.driver.published.size
        let from = try request.number("from") ?? 0
        let named = try request.number("to")
        let to = named ?? size
        guard to <= size else { throw Problem.badParameter("to", "at most the size of the log, \(size)") }
        guard from > 0, from <= to else { throw Problem.badParameter("from", "1 to \(to)") }
        let proof = try ConsistencyProof.make(from: from, to: to, from: LogTree(node.log))
        return try .json(
            Consistency(from: from, to: to, hashes: proof.hashes.map { Data($0.bytes) }),
            // Without `to` the answer is another one after the next block.
            named == nil ? .seconds : .immutable)
    }

    private struct BlockLine: Encodable {
        let height: UInt64
        let header: Data
        let certificate: Data?

        enum CodingKeys: CodingKey { case height, header, certificate }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(height, forKey: .height)
            try container.encode(header, forKey: .header)
            // Present and null where this node has none: readers need not tell absence from a lack.
            try container.encode(certificate, forKey: .certificate)
        }
    }

    /// `?from=&to=`: NDJSON, a block a line, both ends included, at most `Limits.blocksPerAnswer` of them.
    @Sendable func blocks(_ request: Request, _ context: NodeContext) async throws -> Response {
        let published = node.driver.published
        let newest = published.header.height.value
        let from = try request.number("from") ?? 0
        let to = min(try request.number("to") ?? newest, newest)
        guard from <= newest else {
            throw Problem.badParameter("from", "at most the newest height, \(newest)")
        }
        guard from <= to else { throw Problem.badParameter("to", "at least from") }
        let limit = Int(min(to - from + 1, UInt64(Limits.blocksPerAnswer)))

        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var lines: [UInt8] = []
        for (header, stored) in try node.log.blocks(from: BlockHeight(from), limit: limit) {
            // The newest certificate may not have reached the disk yet.
            let certificate = header.height == published.header.height ? published.certificate : stored
            let line = BlockLine(
                height: header.height.value, header: Data(header.encoded),
                certificate: (certificate?.encoded).map { Data($0) })
            lines += try encoder.encode(line)
            lines.append(0x0A)
        }
        return .bytes(lines, "application/x-ndjson", .seconds)
    }
}
