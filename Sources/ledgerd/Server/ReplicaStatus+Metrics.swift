import Ledger
import Replication

extension ReplicaStatus {
    /// How the nodes agree, as numbers.
    func write(to text: inout OpenMetricsText, members: [Member]) {
        text.gauge("kpi_ledger_current_view", "View that the node is in, or waits for.", view.value)
        text.gauge("kpi_ledger_view_changing", "Whether it waits for its view to begin.", isChanging ? 1 : 0)
        text.gauge("kpi_ledger_tip_height", "Height of the newest accepted block.", tip.value)
        text.gauge(
            "kpi_ledger_block_queue_entries", "Entries that wait for a block.", UInt64(clamping: waiting))
        text.gauge("kpi_ledger_evidence", "Proofs that a node lied.", UInt64(evidence.count))
        text.counter("kpi_ledger_flushes", "Flushes of the log.", [([:], flushes)])
        text.counter(
            "kpi_ledger_certificates", "Commit certificates that made blocks final.", [([:], certificates)])
        text.counter(
            "kpi_ledger_peer_messages_refused", "Messages of peers that were refused, or found no room.",
            [([:], drops)])
        text.gauges(
            "kpi_ledger_peer_connected", "Whether a node is connected.",
            labelled(members) { $0.isConnected ? 1 : 0 })
        text.gauges(
            "kpi_ledger_peer_lag_blocks", "Blocks that a node is behind this one.",
            labelled(members) { peer in
                let height = peer.committed ?? .genesis
                return committed > height ? committed.value - height.value : 0
            })
        text.counter(
            "kpi_ledger_peer_frames_unsent", "Frames that a node was away or too slow for.",
            labelled(members, \.unsent))
    }

    private func labelled(
        _ members: [Member], _ value: (Peer) -> UInt64
    ) -> [([String: String], UInt64)] {
        zip(members, peers).map { member, peer in (["peer": member.name], value(peer)) }
    }
}
