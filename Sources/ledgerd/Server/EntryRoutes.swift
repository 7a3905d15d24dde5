import Foundation
import HTTPTypes
import Hummingbird
import Ledger
import Replication

/// Entries: taken in, and shown to those who may see them.
struct EntryRoutes: Sendable {
    let node: Node

    /// `POST /v1/entries`: a signature by an enrolled submitter is all that is asked for.
    @Sendable func append(_ request: Request, _ context: NodeContext) async throws -> Response {
        try await submit(request, as: .sealed)
    }

    /// `POST /v1/governance`: signatures by the roles that the record needs.
    @Sendable func govern(_ request: Request, _ context: NodeContext) async throws -> Response {
        try await submit(request, as: .governance)
    }

    private func submit(_ request: Request, as kind: Statement.ContentType) async throws -> Response {
        guard request.mediaType == "application/cms" else { throw Problem.mediaType("application/cms (DER)") }
        return try await request.withBody(limitBytes: Limits.submissionBytes, node.bodies) { bytes in
            try await submit(bytes, as: kind)
        }
    }

    private func submit(_ bytes: [UInt8], as kind: Statement.ContentType) async throws -> Response {
        // Only now: a body that trickles in must not keep a place from others.
        let underWay = node.metrics.submissionsUnderWay.enter()
        defer { node.metrics.submissionsUnderWay.leave() }
        guard underWay <= Limits.submissionsAtOnce else { throw Problem.busy }

        let begin = ContinuousClock.now
        let acknowledgement: Acknowledgement
        let published = node.driver.published
        var identity: DocumentIdentity?
        do {
            let entry = try node.checker.check(
                bytes, expecting: kind, state: published.state, clock: node.clock())
            identity = entry.identity
            try checkErasure(entry, published)
            acknowledgement = try await node.driver.submit(entry)
        } catch {
            node.metrics.submissionsRefused.increment()
            switch error {
            case let rejection as Rejection: throw problem(rejection)
            case let failure as SubmissionFailure:
                var problem =
                    if case .rejected(let rejection) = failure { problem(rejection) } else {
                        Problem(failure)
                    }
                if problem.status == .conflict { problem.entry = try identity.flatMap(entryOf) }
                throw problem
            default: throw error
            }
        }
        (acknowledgement.isNew ? node.metrics.submissionsAccepted : node.metrics.submissionsRepeated)
            .increment()
        let receipt = try node.receipts.receipt(acknowledgement.index, node.driver.published)
        node.metrics.submissionTimes.add(ContinuousClock.now - begin)
        return Response.bytes(
            receipt.bytes, "text/plain; charset=utf-8", .never, status: acknowledgement.isNew ? .created : .ok
        ).with(.location, "/v1/entries/\(acknowledgement.index)")
    }

    /// Whom later blocks enrolled, and which sessions they opened, a node that is behind does not know: what it finds
    /// wrong about a signer or a session is no answer for ever.
    private func problem(_ rejection: Rejection) -> Problem {
        switch rejection.code {
        case .unauthenticated, .forbidden, .sealing: isBehind ? .behind : Problem(rejection)
        case .malformed, .tooLarge, .invalid, .conflict, .erased: Problem(rejection)
        }
    }

    /// Whether others have blocks that this node lacks; or it has not heard enough of them to know.
    private var isBehind: Bool {
        let status = node.driver.status
        let heights = status.peers.filter { $0.id != node.directory.id }.compactMap(\.committed)
        return heights.count + 1 < node.directory.electorate.committee.quorum
            || heights.contains { $0 > status.committed }
    }

    /// The final entry of a document, told to its submitter alone: the identity is that of the signature.
    private func entryOf(_ identity: DocumentIdentity) throws -> EntryIndex? {
        let index = try node.log.index(of: identity)
        return index.flatMap { $0.value < node.driver.published.size ? $0 : nil }
    }

    /// An order to erase what has no payload would stand in the log for ever and do nothing: say so instead.
    private func checkErasure(_ entry: CheckedEntry, _ published: Published) throws {
        guard case .governance(let record) = entry.content, case .erase(let index, _) = record.action else {
            return
        }
        // An order that was sent before is answered from the log, by what became of it.
        guard record.sequence > published.state.governanceSequence else { return }
        // Whether the signers may erase comes first: others learn nothing of the entry.
        try published.state.admit(entry, at: node.clock(), treeSize: published.size)
        switch try node.log.entry(index).payload {
        case .none: throw Rejection(.invalid, "entry \(index) is a governance record, which is never erased")
        case .erased: throw Rejection(.conflict, "entry \(index) is already erased")
        case .held, .damaged: return
        }
    }

    private struct EntryBody: Encodable {
        let index: UInt64
        let block: UInt64
        let time: String
        let kind: String
        let submitter: String?
        let id: String?
        let erased: Bool
        /// In base64, as is the leaf hash: the entry's part of its header's key commitments.
        let keyCommitment: String
        let leafHash: String
        let statementBytes: Int
        let payloadBytes: Int?
    }

    @Sendable func entry(_ request: Request, _ context: NodeContext) async throws -> Response {
        let entry = try authorizedEntry(context)
        var payloadBytes: Int?
        var isErased = false
        switch entry.payload {
        case .none, .damaged: break
        case .erased: isErased = true
        case .held(let sealed): payloadBytes = sealed.payload.count
        }
        return try .json(
            EntryBody(
                index: entry.index.value, block: entry.height.value, time: entry.blockTime.description,
                kind: entry.identity == nil ? "governance" : "document", submitter: entry.identity?.submitter,
                id: entry.identity?.id, erased: isErased,
                keyCommitment: Base64.encode(entry.keyCommitment.bytes),
                leafHash: Base64.encode(MerkleTree.leafHash(entry.statement).bytes),
                statementBytes: entry.statement.count, payloadBytes: payloadBytes), .never)
    }

    @Sendable func statement(_ request: Request, _ context: NodeContext) async throws -> Response {
        .bytes(try authorizedEntry(context).statement, "application/cms", .never)
    }

    @Sendable func payload(_ request: Request, _ context: NodeContext) async throws -> Response {
        .bytes(try held(authorizedEntry(context)).payload, "application/cms", .never)
    }

    /// `…/proof?size=`: a receipt against the newest checkpoint, or the one of a given size.
    @Sendable func proof(_ request: Request, _ context: NodeContext) async throws -> Response {
        let entry = try authorizedEntry(context)
        let published = node.driver.published
        guard let size = try request.number("size"), size != published.size else {
            return .bytes(
                try node.receipts.receipt(entry.index, published).bytes, "text/plain; charset=utf-8", .never)
        }
        guard size > entry.index.value, size < published.size else {
            throw Problem.badParameter("size", "over \(entry.index) and at most \(published.size)")
        }
        guard let receipt = try node.receipts.receipt(entry.index, ofSize: size) else {
            throw Problem("no-checkpoint", .notFound, "this node has no checkpoint of size \(size)")
        }
        return .bytes(receipt.bytes, "text/plain; charset=utf-8", .never)
    }

    private struct Disclosure: Encodable {
        let index: UInt64
        let block: UInt64
        /// The exact bytes that were sealed.
        let document: Data
        let contentKey: Data
        let payloadDigest: String
        /// Of every entry of the block, in order; the header's key commitments are the SHA-256 over them.
        let commitments: [Data]
        let position: Int
    }

    /// `…/document`: everything that lets its holder check one document against statement and header.
    @Sendable func document(_ request: Request, _ context: NodeContext) async throws -> Response {
        let entry = try authorizedEntry(context)
        let sealed = try held(entry)
        let opened = try SealedPayload(sealed.payload).open(contentKey: sealed.contentKey)
        guard let header = try node.log.header(at: entry.height),
            let parent = try node.log.header(at: entry.height.previous)
        else { throw Problem.noSuchEntry(size: node.driver.published.size) }
        let commitments = try node.log.entries(EntryIndex(parent.treeSize)..<EntryIndex(header.treeSize))
            .map(\.keyCommitment)
        return try .json(
            Disclosure(
                index: entry.index.value, block: entry.height.value, document: Data(opened.content),
                contentKey: Data(sealed.contentKey), payloadDigest: Digest.sha256(sealed.payload).description,
                commitments: commitments.map { Data($0.bytes) },
                position: Int(entry.index.value - parent.treeSize)),
            .never)
    }

    /// The entry of the path, for an auditor, or for the submitter whose own it is.
    private func authorizedEntry(_ context: NodeContext) throws -> LogEntry {
        let principal = try context.require(.auditor, .submitter)
        guard let index = context.parameters.get("index").flatMap(UInt64.init) else { throw Problem.notFound }
        let isAuditor = principal.roles.contains(.auditor)
        guard index < node.driver.published.size else {
            // A submitter is not told how many entries others have sent.
            throw isAuditor ? Problem.noSuchEntry(size: node.driver.published.size) : Problem.notFound
        }
        let entry = try node.log.entry(EntryIndex(index))
        guard isAuditor || entry.identity?.submitter == principal.subject else { throw Problem.notFound }
        return entry
    }

    private func held(_ entry: LogEntry) throws -> Entry.Sealed {
        switch entry.payload {
        case .none: throw Problem.noPayload
        case .erased: throw Problem.erased
        case .damaged(let reason): throw StoreError.damaged(place: "entry \(entry.index)", reason: reason)
        case .held(let sealed): return sealed
        }
    }
}
