import Ledger
import TestSupport
import Testing

@testable import Replication

/// Which messages a node need not even verify. That none of them would have changed anything, every simulated world
/// checks (`World.checkIsNoUse`); here, that those are passed over which cost the most.
@Suite struct `What a node passes over` {
    private let ledger: TestLedger
    private let context: SigningContext

    init() throws {
        ledger = try TestLedger(members: 4)
        context = SigningContext(ledgerID: ledger.ledgerID, epoch: Epoch(0))
    }

    private var now: Tick { Tick(ledger.start, uptime: .zero) }

    private func replica(_ id: Int) throws -> Replica {
        let tip = ChainTip(genesis: ledger.genesis, id: ledger.ledgerID)
        return Replica(
            id: ReplicaID(UInt16(id)),
            from: .init(
                committed: .init(tip: tip, state: try ledger.initialState), certificate: nil, blocks: [],
                tip: tip.headerHash, safety: SafetyState()))
    }

    private func sign<Body>(_ body: Body, by node: Int) -> Signed<Body> {
        Signed(
            body, signer: ReplicaID(UInt16(node)),
            signature: ledger.voteKeys[node].sign(body.signedBytes(context)))
    }

    private func change(to view: UInt64, by node: Int, holding mark: BlockMark? = nil) -> ViewChange {
        ViewChange(
            claim: sign(Claim(view: View(view), prepared: mark, committed: nil), by: node), prepared: nil,
            committed: nil)
    }

    private func hear(_ message: Message, from node: Int, _ replica: inout Replica) throws {
        let verifier = MessageVerifier(context: context, authority: ledger.electorate)
        let verified = try verifier.verify(message, from: ReplicaID(UInt16(node)))
        _ = replica.handle(.message(verified), at: now, knowing: NoDocuments())
    }

    private struct NoDocuments: CommittedDocuments {
        func known(among identities: [DocumentIdentity], below size: UInt64) -> Set<DocumentIdentity> { [] }
    }

    @Test func `a VIEW-CHANGE that is said again, or is behind the one that is known`() throws {
        var replica = try replica(3)
        let said = change(to: 2, by: 0)
        #expect(replica.needs.includes(.viewChange(said)))
        try hear(.viewChange(said), from: 0, &replica)
        #expect(!replica.needs.includes(.viewChange(said)))
        #expect(!replica.needs.includes(.viewChange(change(to: 1, by: 0))))
        #expect(replica.needs.includes(.viewChange(change(to: 3, by: 0))))
        #expect(replica.needs.includes(.viewChange(change(to: 2, by: 1))))
        // Another claim for the same view proves that the node lies.
        let mark = BlockMark(view: View(1), height: BlockHeight(1), headerHash: .sha256([1]))
        #expect(replica.needs.includes(.viewChange(change(to: 2, by: 0, holding: mark))))
    }

    @Test func `a NEW-VIEW of a view that it is in, or has left`() throws {
        var replica = try replica(3)
        func newView(_ view: UInt64, claimsOf nodes: [Int]) -> NewView {
            let claims = nodes.map { change(to: view, by: $0).claim }
            return NewView(
                installation: sign(Installation(view: View(view), claims: claims), by: Int(view % 4)),
                certificate: nil)
        }
        let second = newView(2, claimsOf: [0, 1, 2])
        #expect(replica.needs.includes(.newView(second)))
        try hear(.newView(second), from: 2, &replica)
        #expect(replica.view == View(2))
        #expect(!replica.needs.includes(.newView(second)))
        #expect(!replica.needs.includes(.newView(newView(1, claimsOf: [0, 1, 2]))))
        #expect(replica.needs.includes(.newView(newView(3, claimsOf: [0, 1, 2]))))
        // Another NEW-VIEW of the same view proves that its primary lies.
        #expect(replica.needs.includes(.newView(newView(2, claimsOf: [0, 1, 2, 3]))))
    }
}

/// Signatures cost more than all else of a change of view, and most of them have been seen before.
@Suite struct `An electorate with a memory` {
    private let ledger: TestLedger

    init() throws { ledger = try TestLedger(members: 4) }

    @Test func `checks a signature once, and every forgery of it each time`() throws {
        let electorate = RememberingElectorate(ledger.electorate)
        let message: [UInt8] = [1, 2, 3]
        let signature = ledger.voteKeys[1].sign(message)
        for _ in 0..<3 { #expect(electorate.isValid(signature, by: ReplicaID(1), over: message)) }
        #expect(electorate.checkCount == 1)
        var bent = signature
        bent[5] ^= 1
        let forgeries: [([UInt8], UInt16, [UInt8])] = [
            (bent, 1, message), (signature, 2, message), (signature, 1, [1, 2, 4]), (signature, 9, message),
            (signature, 1, []), (signature.dropLast() + [], 1, message),
            // The same bytes, cut elsewhere.
            (signature + [1], 1, [2, 3]), (signature.dropLast() + [], 1, signature.suffix(1) + message),
        ]
        for _ in 0..<2 {
            for (signature, member, message) in forgeries {
                #expect(!electorate.isValid(signature, by: ReplicaID(member), over: message))
            }
        }
        #expect(electorate.isValid(signature, by: ReplicaID(1), over: message))
    }

    @Test func `forgets in time, and judges what it has forgotten as before`() throws {
        let electorate = RememberingElectorate(ledger.electorate)
        let key = ledger.voteKeys[0]
        func check(_ number: Int) -> Bool {
            let message = Array("\(number)".utf8)
            return electorate.isValid(key.sign(message), by: ReplicaID(0), over: message)
        }
        let count = 2 * Limits.rememberedSignatures + 1
        for number in 0..<count { #expect(check(number)) }
        #expect(electorate.checkCount == UInt64(count))
        #expect(check(count - 1) && check(count - Limits.rememberedSignatures))
        #expect(electorate.checkCount == UInt64(count))
        #expect(check(0))
        #expect(electorate.checkCount == UInt64(count + 1))
    }
}
