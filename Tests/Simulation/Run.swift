public import Ledger
import Replication
import TestSupport

/// One seed from beginning to end.
public struct Run: Sendable {
    public let plan: Plan
    public let figures: Figures
    /// What was found wrong.
    public let failure: String?
    /// Empty where it was not asked for.
    public let trace: [String]
    /// SHA-256 of the trace.
    public let digest: Digest

    /// Runs a plan; the same plan gives the same run.
    public init(_ plan: Plan, pool: EntryPool, traced: Bool = false) throws {
        let world = try World(plan, pool: pool, traced: traced)
        world.begin()
        world.run(until: plan.faultTime)
        if plan.mode == .liveness { world.settle() }
        self.plan = plan
        figures = world.figures
        failure = world.failure
        trace = world.trace.lines
        digest = world.trace.digest()
    }
}

/// After the faults: at most `f` nodes are gone, cut off or lying, and everything else works. Then all that was submitted
/// is committed, and all nodes end in one view and level.
extension World {
    /// Virtual microseconds that this may take: some views at the longest timeout, and a partial primary found out.
    private static let bound = 600_000_000

    func settle() {
        let required = heal()
        guard !required.isEmpty else { return }
        let end = now + Self.bound
        let begin = now
        guard runUntil(end, { isLevel(required) }) else {
            return fail(required[0], "STUCK: \(state(of: required))")
        }
        figures.settling = max(figures.settling, (now - begin) / 1000)
        serve(required)
    }

    /// Entries one by one: each is committed, the view stays, and timeouts fall back.
    private func serve(_ required: [Int]) {
        let hasLiars = !plan.liars.isEmpty || !plan.twins.isEmpty
        for _ in 0..<20 {
            guard let slot = submitNext(among: required) else { continue }
            let begin = now
            guard runUntil(now + Self.bound, { nodes[slot].owed.isEmpty && isLevel(required) }) else {
                return fail(slot, "STUCK with a lone entry: \(state(of: required))")
            }
            if !hasLiars, now - begin > 30_000_000 {
                return fail(slot, "took \((now - begin) / 1000) ms for a lone entry, with nobody lying")
            }
        }
        guard !hasLiars else { return }
        for slot in required {
            if let failures = nodes[slot].replica?.failures, failures > 0 {
                return fail(slot, "has timeouts of \(failures) doublings after twenty quick blocks")
            }
        }
    }

    /// Ends the faults.
    ///
    /// - Returns: The nodes that must serve from now on: at least a quorum.
    private func heal() -> [Int] {
        network.mendAll()
        faultsEnd = 0
        for slot in nodes.indices {
            nodes[slot].disk.isFull = false
            thaw(slot)
            nodes[slot].disk.latency = 100...2000
        }
        // Those who lie count among the f already.
        var spare = (plan.nodes - 1) / 3 - plan.liars.count - plan.twins.count
        var required = nodes.indices.filter { nodes[$0].isHonest }
        while spare > 0, random.chance(600_000), required.count > 1 {
            spare -= 1
            let slot = required.remove(at: random.below(required.count))
            switch random.below(3) {
            case 0:
                crash(slot)
                nodes[slot].isGone = true
            case 1: network.apply(.init(links: nodes.indices.filter { $0 != slot }.map { ($0, slot) }))
            default:
                network.apply(.init(links: nodes.indices.filter { $0 != slot }.map { (slot, $0) }))
            }
            note(slot, .fault, "is cut off for ever")
        }
        for slot in nodes.indices where nodes[slot].replica == nil && !nodes[slot].isGone { start(slot) }
        if trace.isOn { trace.add(now, .fault, nil, "healed; required \(required)") }
        return required
    }

    /// Steps of half a second, so that a run ends soon after it is settled.
    private func runUntil(_ end: Int, _ isDone: () -> Bool) -> Bool {
        while failure == nil, now < end {
            run(until: min(end, now + 250_000))
            if isDone() { return true }
        }
        // A failure has been noted.
        return failure != nil
    }

    /// Where some lie, they can call away up to f of the honest nodes, vote in their place, and so leave them waiting
    /// for a view that nobody else wants: those need only be level.
    private func isLevel(_ required: [Int]) -> Bool {
        guard let first = nodes[required[0]].replica else { return false }
        let isLiedTo = !plan.liars.isEmpty || !plan.twins.isEmpty
        return required.allSatisfy { slot in
            guard let replica = nodes[slot].replica, nodes[slot].owed.isEmpty else { return false }
            guard replica.committed.tip.headerHash == first.committed.tip.headerHash else { return false }
            return isLiedTo
                || replica.view == first.view && replica.safety.phase == .normal
                    && replica.tip.headerHash == replica.committed.tip.headerHash
        }
    }

    private func state(of required: [Int]) -> String {
        required.map { slot in
            guard let replica = nodes[slot].replica else { return "n\(slot) down" }
            return
                "n\(nodes[slot].id) v\(replica.view)\(replica.safety.phase == .normal ? "" : "?") tip \(replica.tip.header.height) final \(replica.committed.tip.header.height) owes \(nodes[slot].owed.map { pool.items[$0].name })"
        }.joined(separator: "; ")
    }
}
