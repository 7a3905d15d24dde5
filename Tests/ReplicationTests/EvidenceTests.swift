import Ledger
import TestSupport
import Testing

@testable import Replication

/// Two statements of one node for one place: a proof that stands alone, and a record in the log.
@Suite struct `Evidence against a node` {
    private let ledger: TestLedger
    private let context: SigningContext
    private let origin: KeyName

    init() throws {
        ledger = try TestLedger(members: 4)
        context = SigningContext(ledgerID: ledger.ledgerID, epoch: Epoch(0))
        origin = try KeyName(ledger.origin)
    }

    private func header(_ view: UInt64, _ height: UInt64, root: UInt8) -> BlockHeader {
        let genesis = ledger.genesisHeader
        return BlockHeader(
            ledgerID: ledger.ledgerID, height: BlockHeight(height), view: View(view), epoch: Epoch(0),
            time: genesis.time, parent: genesis.hash, treeSize: 1, treeRoot: .sha256([root]),
            keyCommitments: .zero)
    }

    private func sign<Body>(_ body: Body, by node: Int = 2) -> Signed<Body> {
        Signed(
            body, signer: ReplicaID(UInt16(node)),
            signature: ledger.voteKeys[node].sign(body.signedBytes(context)))
    }

    private func vote(_ header: BlockHeader, by node: Int = 2) -> CommitVote {
        CommitVote(
            header, signer: ReplicaID(UInt16(node)),
            signature: ledger.voteKeys[node].sign(ledger.electorate.commitMessage(for: header)))
    }

    private func mark(_ view: UInt64, _ height: UInt64, root: UInt8) -> BlockMark {
        let header = header(view, height, root: root)
        return BlockMark(header, hash: header.hash)
    }

    private func claim(_ view: UInt64, _ root: UInt8?) -> Claim {
        Claim(view: View(view), prepared: root.map { mark(1, 3, root: $0) }, committed: nil)
    }

    private var proofs: [Equivocation] {
        [
            .prepares(sign(Prepare(mark(5, 7, root: 1))), sign(Prepare(mark(5, 7, root: 2)))),
            .commits(vote(header(5, 7, root: 1)), vote(header(5, 7, root: 2))),
            .viewChanges(sign(claim(4, 1)), sign(claim(4, nil))),
            .newViews(
                sign(Installation(view: View(2), claims: [sign(claim(2, 1), by: 0)])),
                sign(Installation(view: View(2), claims: [sign(claim(2, 2), by: 1)]))),
        ]
    }

    private func contradiction(_ proof: Equivocation) -> Contradiction {
        proof.contradiction(in: context, authority: ledger.electorate)
    }

    @Test func `proves itself with the member's key alone`() throws {
        let places: [Contradiction.Place] = [
            .prepare(Epoch(0), View(5), BlockHeight(7)), .commit(View(5), BlockHeight(7)),
            .viewChange(Epoch(0), View(4)), .newView(Epoch(0), View(2)),
        ]
        let key = ledger.voteKeys[2].verificationKey
        for (proof, place) in zip(proofs, places) {
            let found = try contradiction(proof).verify(by: key, ledgerID: ledger.ledgerID, origin: origin)
            #expect(found == place)
            #expect(proof.culprit == ReplicaID(2))
        }
    }

    @Test func `is none where an honest node may have said both`() throws {
        let key = ledger.voteKeys[2].verificationKey
        let innocent: [Equivocation] = [
            // The same twice, other views, other heights, another node's, another kind of statement.
            .prepares(sign(Prepare(mark(5, 7, root: 1))), sign(Prepare(mark(5, 7, root: 1)))),
            .prepares(sign(Prepare(mark(5, 7, root: 1))), sign(Prepare(mark(6, 7, root: 2)))),
            .prepares(sign(Prepare(mark(5, 7, root: 1))), sign(Prepare(mark(5, 8, root: 2)))),
            .prepares(sign(Prepare(mark(5, 7, root: 1))), sign(Prepare(mark(5, 7, root: 2)), by: 1)),
            .commits(vote(header(5, 7, root: 1)), vote(header(6, 7, root: 2))),
            .viewChanges(sign(claim(4, 1)), sign(claim(5, nil))),
        ]
        for proof in innocent {
            #expect(throws: ProofError.self) {
                try contradiction(proof).verify(by: key, ledgerID: ledger.ledgerID, origin: origin)
            }
        }
        let prepare = contradiction(proofs[0]).first
        let commit = contradiction(proofs[1]).second
        #expect(throws: ProofError.self) {
            try Contradiction(prepare, commit).verify(by: key, ledgerID: ledger.ledgerID, origin: origin)
        }
    }

    @Test func `of another ledger proves nothing here`() throws {
        let key = ledger.voteKeys[2].verificationKey
        for proof in proofs {
            #expect(throws: ProofError.self) {
                try contradiction(proof).verify(
                    by: key, ledgerID: .sha256([9]), origin: KeyName("example.com/other"))
            }
        }
    }

    @Test func `survives no damaged byte`() throws {
        let key = ledger.voteKeys[2].verificationKey
        for proof in proofs {
            let whole = contradiction(proof)
            for position in whole.first.bytes.indices {
                var bytes = whole.first.bytes
                bytes[position] ^= 1
                let damaged = Contradiction(
                    .init(bytes: bytes, signature: whole.first.signature), whole.second)
                #expect(throws: ProofError.self) {
                    try damaged.verify(by: key, ledgerID: ledger.ledgerID, origin: origin)
                }
            }
        }
    }

    @Test func `is recorded by an operator, against the member it proves to have lied`() throws {
        var state = try ledger.initialState
        let checker = try ledger.checker
        for (number, proof) in proofs.enumerated() {
            func record(against member: String) throws -> CheckedEntry {
                let bytes = try ledger.governance(
                    .evidence(member: member, contradiction(proof)), sequence: UInt64(number + 1))
                return try checker.check(bytes, expecting: .governance, state: state, clock: ledger.start)
            }
            let entry = try record(against: "node3")
            guard case .governance(let read) = entry.content else {
                Issue.record("it is a record")
                return
            }
            #expect(read.action == .evidence(member: "node3", contradiction(proof)))
            for other in ["node1", "nobody"] {
                let slander = try record(against: other)
                #expect(throws: Rejection.self) {
                    try state.admit(slander, at: ledger.start, treeSize: 5)
                }
            }
            try state.admit(entry, at: ledger.start, treeSize: 5)
            state.apply(entry, at: EntryIndex(5), time: ledger.start)
        }
    }
}
