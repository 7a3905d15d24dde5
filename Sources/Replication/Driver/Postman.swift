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

    /// - Parameters:
    ///   - tip: the height of the replica's tip.
    ///   - isAwaited: whether clients wait at this node.
    /// - Returns: This node's own votes, which it counts like those of others.
    func deliver(_ outgoing: Outgoing, tip: BlockHeight, isAwaited: Bool) -> [Event] {
        switch outgoing.content {
        case .message(.committed(let certificate)):
            let message = Message.committed(certificate)
            settle(certificate.header, message, to: outgoing.recipients, tip: tip)
            return []
        case .message(let message):
            send(message, to: outgoing.recipients)
            return []
        case .proposal(let block):
            if isAwaited { askForCommits(of: block.header.height, outgoing.recipients) }
            let prepare = sign(Prepare(block.mark))
            send(
                .proposal(Proposal(block: ProposedBlock(block.block), prepare: prepare)),
                to: outgoing.recipients)
            return own(.prepare(prepare))
        case .prepare(let prepare):
            if isAwaited { askForCommits(of: prepare.mark.height, outgoing.recipients) }
            return vote(.prepare(sign(prepare)), to: outgoing.recipients)
        case .commit(let header):
            let vote = CommitVote(
                header, signer: id,
                signature: voteKey.sign(verifier.authority.commitMessage(for: header)))
            settle(header, .commit(vote), to: outgoing.recipients, tip: tip)
            return own(.commit(vote))
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

    /// Sends what settles a block. While no other is under way, only those hear of it at once who have clients that wait,
    /// and the primary, whose next block takes up what has come meanwhile: to the others the vote for a later block says
    /// as much, and it saves them a signature to check.
    private func settle(
        _ header: BlockHeader, _ message: Message, to recipients: Outgoing.Recipients, tip: BlockHeight
    ) {
        if case .only = recipients { return send(message, to: recipients) }
        let place = LazyFrame.Place(view: header.view, height: header.height)
        let isPressing = header.height < tip || header.height.value.isMultiple(of: Limits.lazyCommits)
        let bytes = message.frame.buffer
        let primary = committee.primary(of: header.view)
        for peer in others {
            network?.settle(place, with: bytes, isPressing: isPressing || peer == primary, at: peer)
        }
    }

    /// Before the vote that brings the COMMITs about.
    private func askForCommits(of height: BlockHeight, _ recipients: Outgoing.Recipients) {
        send(Awaited(height: height).frame, to: recipients)
    }

    private func send(_ message: Message, to recipients: Outgoing.Recipients) {
        send(message.frame, to: recipients)
    }

    private func send(_ frame: Frame, to recipients: Outgoing.Recipients) {
        guard let network, committee.size > 1 else { return }
        switch recipients {
        case .only(let node):
            guard node != id else { return }
            if frame.kind == .fetch { onFetch(node) }
            network.send(frame, to: node)
        case .everyone, .others: network.send(frame, to: others)
        }
    }

    private var others: some Sequence<ReplicaID> {
        (0..<committee.size).lazy.map { ReplicaID(UInt16($0)) }.filter { $0 != id }
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
