import Ledger
import Replication

extension ReplicaStatus {
    /// How the nodes agree, as numbers.
    ///
    /// - Parameter id: this node: of the others it counts what passes between them.
    func write(to text: inout OpenMetricsText, members: [Member], of id: ReplicaID) {
        text.gauge("kpi_ledger_current_view", "View that the node is in, or waits for.", view.value)
        text.gauge("kpi_ledger_view_changing", "Whether it waits for its view to begin.", isChanging ? 1 : 0)
        text.counter(
            "kpi_ledger_view_changes", "Times that the node left a view for a later one.", viewChanges)
        text.gauge(
            "kpi_ledger_primary", "Whether the node orders entries in its view.",
            primary == id && !isChanging ? 1 : 0)
        text.gauge(
            "kpi_ledger_halted", "Whether it stands still, since certificates contradict each other.",
            halt == nil ? 0 : 1)
        text.gauge("kpi_ledger_tip_height", "Height of the newest accepted block.", tip.value)
        text.gauge(
            "kpi_ledger_lag_blocks", in: .blocks,
            "Blocks that this node is behind the highest it has heard of.",
            lag(of: committed))
        text.gauge(
            "kpi_ledger_block_queue_entries", in: .entries, "Entries that wait for a block.",
            UInt64(clamping: waiting))
        text.counter(
            "kpi_ledger_certificates", "Commit certificates that made blocks final.", certificates)
        text.counter(
            "kpi_ledger_proposals_bad", "Proposals that a primary signed and whose entries do not hold.",
            badProposals)
        writeEvidence(to: &text, members)
        text.counter("kpi_ledger_flushes", "Flushes of the log.", flushes)
        text.histogram(
            "kpi_ledger_flush_duration_seconds", "Time until what was handed to the disk is on it.",
            flushTimes)
        text.counter(
            "kpi_ledger_fetch_requests", "Requests for blocks that this node sent, being behind.",
            catchUp.requests)
        text.counter(
            "kpi_ledger_fetched_blocks", in: .blocks, "Blocks that came for such requests.",
            catchUp.fetchedBlocks)
        text.counter(
            "kpi_ledger_served_blocks", in: .blocks, "Blocks that it sent to nodes behind it.",
            catchUp.servedBlocks)
        text.counter(
            "kpi_ledger_peer_port_failures",
            "Connections to the peer port that failed: of strangers, mostly.",
            failedConnections)
        writePeers(to: &text, members, id)
    }

    private func writeEvidence(to text: inout OpenMetricsText, _ members: [Member]) {
        text.gauges(
            "kpi_ledger_evidence", "Proofs that a node lied, which this node knows.",
            zip(members, peers).map { member, peer in
                (["node": member.name], UInt64(evidence.count { $0.member == peer.id }))
            })
        text.gauges(
            "kpi_ledger_evidence_recorded", "Those of them that are on record in the log.",
            zip(members, peers).map { member, peer in
                (["node": member.name], UInt64(evidence.count { $0.member == peer.id && $0.entry != nil }))
            })
    }

    private func writePeers(to text: inout OpenMetricsText, _ members: [Member], _ id: ReplicaID) {
        func others(_ value: (Peer) -> UInt64) -> [OpenMetricsText.Sample] {
            zip(members, peers).filter { $1.id != id }.map { (["peer": $0.name], value($1)) }
        }
        text.gauges(
            "kpi_ledger_peer_connected", "Whether this node is connected to the peer.",
            others { $0.isConnected ? 1 : 0 })
        text.gauges(
            "kpi_ledger_peer_lag_blocks", in: .blocks,
            "Blocks that the peer is behind the highest height heard of.",
            others { lag(of: $0.committed ?? .genesis) })
        text.gauges(
            "kpi_ledger_peer_view", "View that the peer said last it is in.",
            others { $0.view?.value ?? 0 })
        text.gauges(
            "kpi_ledger_peer_queue_frames", in: .frames, "Frames that wait to be sent to the peer.",
            others { UInt64(clamping: $0.waiting) })
        text.counters(
            "kpi_ledger_peer_unsent_frames", in: .frames, "Frames that the peer was away or too slow for.",
            others(\.unsent))
        text.counters(
            "kpi_ledger_peer_messages_refused",
            "Messages of the peer that were refused, or found no room.", others(\.refused))
    }

    private func lag(of height: BlockHeight) -> UInt64 {
        let highest = max(committed, peers.compactMap(\.committed).max() ?? .genesis)
        return highest.value - min(height, highest).value
    }
}
