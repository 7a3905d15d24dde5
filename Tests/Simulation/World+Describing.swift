import Ledger
import Replication

/// Words for a trace.
extension World {
    func name(_ header: BlockHeader, _ hash: Digest) -> String {
        trace.name(of: hash, height: header.height, view: header.view)
    }

    func name(_ mark: BlockMark?) -> String {
        guard let mark else { return "-" }
        return trace.name(of: mark.headerHash, height: mark.height, view: mark.view)
    }

    /// What a trace calls an entry of the pool.
    func name(ofEntry number: Int) -> String { aliases[number] ?? pool.items[number].name }

    private func names(of digests: [Digest]) -> String {
        digests.map { pool.number(of: $0).map { name(ofEntry: $0) } ?? "?" }.joined(separator: " ")
    }

    /// A block's name and what stands in it.
    func describe(_ block: Block) -> String {
        "\(name(block.header, block.header.hash)) [\(names(of: block.entries.map(\.statement.digest)))]"
    }

    func recipients(_ recipients: Outgoing.Recipients) -> String {
        switch recipients {
        case .everyone: "all"
        case .others: "others"
        case .only(let id): "n\(id)"
        }
    }

    func describe(_ record: SafetyRecord) -> String {
        var text = ""
        for step in record.steps {
            switch step {
            case .truncate(let height): text += " cut \(height)"
            case .append(let block): text += " +\(name(block.header, block.headerHash))"
            }
        }
        if let state = record.state {
            text +=
                " v\(state.view) \(state.phase == .normal ? "normal" : "changing") pc \(name(state.prepared?.mark))"
        }
        return text
    }

    func describe(_ message: Message) -> String {
        switch message {
        case .proposal(let proposal):
            let header = proposal.block.header
            return
                "PROPOSAL \(name(header, header.hash)) [\(names(of: proposal.block.entries.map(\.digest)))]"
        case .prepare(let prepare): return "PREPARE \(name(prepare.body.mark))"
        case .commit(let vote): return "COMMIT \(name(vote.mark))"
        case .complaint(let view): return "COMPLAIN \(view)"
        case .viewChange(let change): return describe(change)
        case .newView(let newView):
            let claims = newView.installation.body.claims.map { "\($0.signer):\(name($0.body.highest))" }
            return "NEW-VIEW \(newView.view) [\(claims.joined(separator: " "))]"
        case .prepared(let certificate): return "PREPARED \(name(certificate.mark))"
        case .committed(let certificate):
            return "COMMITTED \(name(certificate.header, certificate.header.hash))"
        case .status(let status):
            return
                "STATUS v\(status.view)\(status.isChanging ? "?" : "") asks \(status.asksFor) tip \(status.tip) final \(status.committed)"
        case .entries(let entries):
            return "ENTRIES \(names(of: entries.map(\.digest)))"
        case .fetch(.committed(let height)): return "FETCH above \(height)"
        case .fetch(.ancestry(let hash, let height, let floor)):
            return "FETCH \(trace.name(of: hash, height: height, view: View(0))) above \(floor)"
        case .fetched(let fetched):
            let names = fetched.blocks.map { name($0.header, $0.header.hash) }
            return "FETCHED \(names.joined(separator: " "))\(fetched.certificate == nil ? "" : " certified")"
        }
    }

    private func describe(_ change: ViewChange) -> String {
        let claim = change.claim.body
        return "VIEW-CHANGE \(claim.view) pc \(name(claim.prepared)) cc \(name(claim.committed))"
    }
}
