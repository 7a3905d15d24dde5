import Ledger
import Replication
import TestSupport

/// Damage on the way: what no node said.
extension World {
    enum Mutation {
        case none
        case readable(Message)
        case unreadable
    }

    /// Changes one bit of the message as it stands on the wire, or one of its fields.
    func mutate(_ message: Message) -> Mutation {
        if hasFixedSize(message), random.chance(500_000) { return flipBit(message) }
        return changeField(message).map(Mutation.readable) ?? .none
    }

    /// Of the same length in every process, so that one seed hits the same place: nothing with entries, whose signatures
    /// vary in size. What is not signed is only a hint, and TLS keeps it whole.
    private func hasFixedSize(_ message: Message) -> Bool {
        switch message {
        case .prepare, .commit, .viewChange, .newView, .prepared, .committed, .fetch: true
        case .proposal, .complaint, .status, .entries, .fetched: false
        }
    }

    private func flipBit(_ message: Message) -> Mutation {
        let frame = message.frame
        var body = frame.body
        let bit = random.below(body.count * 8)
        body[bit / 8] ^= 1 << UInt8(bit % 8)
        do throws(DecodingFailure) {
            return .readable(try Message(Frame(kind: frame.kind, body: body)))
        } catch { return .unreadable }
    }

    /// A signature does not fit any more.
    private func changeField(_ message: Message) -> Message? {
        switch message {
        case .proposal(let proposal):
            if random.chance(500_000) {
                return .proposal(
                    Proposal(
                        block: ProposedBlock(
                            header: mutate(proposal.block.header), entries: proposal.block.entries),
                        prepare: proposal.prepare))
            }
            return .proposal(
                Proposal(
                    block: ProposedBlock(
                        header: proposal.block.header, entries: proposal.block.entries.dropLast()),
                    prepare: proposal.prepare))
        case .prepare(let prepare):
            let mark = prepare.body.mark
            return .prepare(
                Signed(
                    Prepare(
                        BlockMark(
                            view: View(mark.view.value ^ 1), height: mark.height, headerHash: mark.headerHash)
                    ),
                    signer: prepare.signer, signature: prepare.signature))
        case .commit(let vote):
            return .commit(CommitVote(mutate(vote.header), signer: vote.signer, signature: vote.signature))
        case .viewChange(let change):
            return .viewChange(
                ViewChange(claim: change.claim, prepared: nil, committed: change.committed))
        case .newView(let newView):
            let body = newView.installation.body
            return .newView(
                NewView(
                    installation: Signed(
                        Installation(view: body.view, claims: body.claims.dropLast()),
                        signer: newView.installation.signer, signature: newView.installation.signature),
                    certificate: newView.certificate))
        case .fetched(let fetched):
            guard let first = fetched.blocks.first else { return nil }
            let bent = FetchedBlock(header: mutate(first.header), entries: first.entries)
            return .fetched(
                FetchedBlocks(
                    blocks: [bent] + fetched.blocks.dropFirst(), certificate: fetched.certificate))
        case .fetch: return .fetch(.committed(after: BlockHeight(UInt64(random.below(9)))))
        case .prepared(let certificate):
            return PreparedCertificate(mark: certificate.mark, votes: certificate.votes.dropLast())
                .map(Message.prepared)
        case .committed(let certificate):
            return CommitCertificate(
                header: mutate(certificate.header), cosignatures: certificate.cosignatures
            ).map(Message.committed)
        case .entries(let entries): return .entries(entries.dropLast())
        // What is not signed is only a hint, and TLS keeps it whole.
        case .complaint, .status: return nil
        }
    }

    private func mutate(_ header: BlockHeader) -> BlockHeader {
        let bit = random.below(4)
        return BlockHeader(
            ledgerID: header.ledgerID,
            height: bit == 0 ? BlockHeight(header.height.value ^ 1) : header.height,
            view: bit == 1 ? View(header.view.value ^ 1) : header.view, epoch: header.epoch,
            time: bit == 2 ? header.time.advanced(byMilliseconds: 1) : header.time,
            parent: bit == 3 ? header.treeRoot : header.parent, treeSize: header.treeSize,
            treeRoot: header.treeRoot, keyCommitments: header.keyCommitments)
    }
}
