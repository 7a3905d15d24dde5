import Foundation
import Hummingbird
import Ledger
import Query
import Replication

/// Who the ledger is, and how this node is doing.
struct LedgerRoutes: Sendable {
    let node: Node

    private struct Nodes: Encodable {
        struct Node: Encodable {
            let name: String
            let url: String
            let peerAddress: String
            let sealingCertificate: String
            let voteKey: String
            let tlsKeyDigest: String
        }

        let origin: String
        let ledgerID: String
        let epoch: UInt32
        let quorum: Int
        let size: UInt64
        let height: UInt64
        let view: UInt64
        /// Of the last governance record; the next one carries one more.
        let governanceSequence: UInt64
        let nodes: [Node]
    }

    @Sendable func nodes(_ request: Request, _ context: NodeContext) async throws -> Response {
        let published = node.driver.published
        let genesis = node.directory.genesis
        let members = zip(genesis.members, node.directory.electorate.keys).map { member, key in
            Nodes.Node(
                name: member.name, url: member.url, peerAddress: member.peerAddress,
                sealingCertificate: Self.pem(member.sealingCertificate), voteKey: key.text,
                tlsKeyDigest: Base64.encode(member.tlsKeyDigest))
        }
        return try .json(
            Nodes(
                origin: genesis.origin, ledgerID: node.directory.ledgerID.description,
                epoch: published.state.epoch.value, quorum: published.state.committee.quorum,
                size: published.size, height: published.header.height.value,
                view: published.header.view.value,
                governanceSequence: published.state.governanceSequence, nodes: members), .seconds)
    }

    private static func pem(_ der: [UInt8]) -> String {
        let text = Base64.encode(der)
        var lines = ["-----BEGIN CERTIFICATE-----"]
        var rest = text[...]
        while !rest.isEmpty {
            lines.append(String(rest.prefix(64)))
            rest = rest.dropFirst(64)
        }
        return (lines + ["-----END CERTIFICATE-----", ""]).joined(separator: "\n")
    }

    @Sendable func genesis(_ request: Request, _ context: NodeContext) async throws -> Response {
        .bytes(node.directory.genesisBytes, "application/xml", .seconds)
    }

    @Sendable func policy(_ request: Request, _ context: NodeContext) async throws -> Response {
        let epoch = node.driver.published.state.epoch.value
        guard try request.number("epoch") ?? UInt64(epoch) == UInt64(epoch) else {
            throw Problem("no-epoch", .notFound, "there is no epoch but \(epoch)")
        }
        return .bytes(node.directory.policy.text, "text/plain; charset=utf-8", .seconds)
    }

    // MARK: Health

    private struct Health: Encodable {
        let ready: Bool
        let reasons: [String]
        let node: String
        let height: UInt64
        let view: UInt64
        let size: UInt64
        /// Entries that the query store has followed.
        let queried: UInt64
        /// Entries that wait to be ordered.
        let queue: Int
        /// The view that the node is in, or waits for; `view` is that of the newest final block.
        let currentView: UInt64
        let isChangingView: Bool
        /// The name of the node that orders in it.
        let primary: String
        /// The other nodes as this one sees them.
        let peers: [Peer]
        /// Proofs that a node lied; `/v1/evidence` shows them.
        let evidence: [Evidence]

        struct Evidence: Encodable {
            let node: String
            let what: String
            /// Where it is on record.
            let entry: UInt64?
        }

        struct Peer: Encodable {
            let node: String
            let connected: Bool
            let height: UInt64?
        }
    }

    /// The process answers: a supervisor has nothing to restart.
    @Sendable func health(_ request: Request, _ context: NodeContext) async throws -> Response {
        try answer(reasons: [])
    }

    /// 503 while this node should not be sent work, with the reasons.
    @Sendable func readiness(_ request: Request, _ context: NodeContext) async throws -> Response {
        var reasons: [String] = []
        if let trouble = node.follower.trouble { reasons.append("queries stand still: \(trouble)") }
        let status = node.driver.status
        if let halt = status.halt { reasons.append("the replica stands still: \(halt)") }
        let quorum = node.directory.electorate.committee.quorum
        let connected = status.peers.count(where: \.isConnected)
        if connected < quorum {
            reasons.append("\(connected) of \(status.peers.count) nodes are connected, \(quorum) are needed")
        }
        let highest = status.peers.compactMap(\.committed).max() ?? .genesis
        if highest.value > status.committed.value + Ledger.Limits.unsettledBlocks {
            reasons.append("it is \(highest.value - status.committed.value) blocks behind")
        }
        return try answer(reasons: reasons)
    }

    private func answer(reasons: [String]) throws -> Response {
        let published = node.driver.published
        let status = node.driver.status
        var response = try Response.json(
            Health(
                ready: reasons.isEmpty, reasons: reasons, node: node.directory.configuration.node,
                height: published.header.height.value, view: published.header.view.value,
                size: published.size,
                queried: try node.queries.nextIndex().value, queue: node.driver.queueDepth,
                currentView: status.view.value, isChangingView: status.isChanging,
                primary: node.name(of: status.primary),
                peers: status.peers.filter { $0.id != node.directory.id }.map {
                    .init(node: node.name(of: $0.id), connected: $0.isConnected, height: $0.committed?.value)
                },
                evidence: status.evidence.map {
                    .init(node: node.name(of: $0.member), what: "\($0.place)", entry: $0.entry?.value)
                }), .never)
        response.status = reasons.isEmpty ? .ok : .serviceUnavailable
        return response
    }

    // MARK: Metrics

    /// OpenMetrics text.
    @Sendable func metrics(_ request: Request, _ context: NodeContext) async throws -> Response {
        try context.require(.operator)
        let published = node.driver.published
        let status = try node.queries.status()
        var text = OpenMetricsText()
        text.info(
            "kpi_ledger_build", "The program that runs.",
            ["version": LedgerVersion.text, "node": node.directory.configuration.node])
        node.metrics.write(to: &text)
        text.gauge(
            "kpi_ledger_event_streams", "Streams of events that are open.",
            UInt64(clamping: node.streamPlaces.count))
        text.gauge("kpi_ledger_log_entries", in: .entries, "Entries that are final.", published.size)
        text.gauge(
            "kpi_ledger_block_height", "Height of the newest final block.", published.header.height.value)
        text.gauge(
            "kpi_ledger_block_timestamp_seconds", in: .seconds, "Time of the newest final block, since 1970.",
            UInt64(clamping: published.header.time.seconds))
        text.gauge("kpi_ledger_view", "View of the newest final block.", published.header.view.value)
        text.gauge(
            "kpi_ledger_queue_entries", in: .entries, "Entries that wait to be ordered.",
            UInt64(node.driver.queueDepth))
        node.driver.status.write(
            to: &text, members: node.directory.genesis.members, of: node.directory.id)
        text.gauge(
            "kpi_ledger_query_lag_entries", in: .entries,
            "Final entries that the query store has not followed yet.",
            published.size - min(published.size, status.nextIndex.value))
        text.gauge("kpi_ledger_query_series", "Series in the query store.", UInt64(status.series))
        text.gauge("kpi_ledger_query_samples", "Samples in the query store.", UInt64(status.samples))
        text.gauge(
            "kpi_ledger_store_bytes", in: .bytes, "Bytes of the log in use on the disk.",
            UInt64(try node.log.usedBytes()))
        return .bytes(
            Array(text.finished.utf8), "application/openmetrics-text; version=1.0.0; charset=utf-8", .never)
    }
}
