import Ledger

/// Signs what the replica says, and hands it to the network; what it says to itself comes back as events.
struct Postman: Sendable {
    let id: ReplicaID
    let committee: Committee
    let voteKey: SigningKey
    let verifier: MessageVerifier<RememberingElectorate>
    let network: PeerNetwork?
    /// Told that a peer was asked for blocks.
    let onFetch: @Sendable (ReplicaID) -> Void

    /// - Returns: This node's own votes, which it counts like those of others.
    func deliver(_ outgoing: Outgoing) -> [Event] {
        switch outgoing.content {
        case .message(let message):
            send(message, to: outgoing.recipients)
            return []
        case .proposal(let block):
            let prepare = sign(Prepare(block.mark))
            send(
                .proposal(Proposal(block: ProposedBlock(block.block), prepare: prepare)),
                to: outgoing.recipients)
            return own(.prepare(prepare))
        case .prepare(let prepare): return vote(.prepare(sign(prepare)), to: outgoing.recipients)
        case .commit(let header):
            let vote = CommitVote(
                header, signer: id,
                signature: voteKey.sign(verifier.authority.commitMessage(for: header)))
            return self.vote(.commit(vote), to: outgoing.recipients)
        case .viewChange(let claim, let prepared, let committed):
            return vote(
                .viewChange(ViewChange(claim: sign(claim), prepared: prepared, committed: committed)),
                to: outgoing.recipients)
        case .newView(let installation, let certificate):
            send(
                .newView(NewView(installation: sign(installation), certificate: certificate)),
                to: outgoing.recipients)
            return []
        case .entries(let entries):
            for message in Self.messages(of: entries) { send(message, to: outgoing.recipients) }
            return []
        }
    }

    private func vote(_ message: Message, to recipients: Outgoing.Recipients) -> [Event] {
        send(message, to: recipients)
        return own(message)
    }

    private func own(_ message: Message) -> [Event] { [.message(verifier.ownMessage(message, of: id))] }

    private func sign<Body: Signable>(_ body: Body) -> Signed<Body> {
        Signed(body, signer: id, signature: voteKey.sign(body.signedBytes(verifier.context)))
    }

    private func send(_ message: Message, to recipients: Outgoing.Recipients) {
        guard let network, committee.size > 1 else { return }
        let frame = message.frame
        switch recipients {
        case .only(let node):
            guard node != id else { return }
            if frame.kind == .fetch { onFetch(node) }
            network.send(frame, to: node)
        case .everyone, .others:
            for index in 0..<committee.size where index != Int(id.value) {
                network.send(frame, to: ReplicaID(UInt16(index)))
            }
        }
    }

    /// As many messages as the entries need: a frame is bounded.
    private static func messages(of entries: [CheckedEntry]) -> [Message] {
        var messages: [Message] = []
        var batch: [EntryBytes] = []
        var byteCount = 0
        for checked in entries {
            let entry = EntryBytes(checked.entry)
            let isFull =
                batch.count >= Limits.forwardedEntries
                || byteCount + entry.byteCount > Limits.forwardedBytes
            if isFull, !batch.isEmpty {
                messages.append(.entries(batch))
                (batch, byteCount) = ([], 0)
            }
            batch.append(entry)
            byteCount += entry.byteCount
        }
        if !batch.isEmpty { messages.append(.entries(batch)) }
        return messages
    }
}
