import Ledger
import Replication

/// What a scenario can expect of its nodes.
extension Stage {
    /// A sentence about some nodes.
    private struct Condition {
        let text: String
        let slots: [Int]
        let isTrue: (World, Int) -> Bool
        /// What all of them must have in common.
        var isShared: (World, [Int]) -> Bool = { _, _ in true }

        func holds(in world: World) -> Bool {
            slots.allSatisfy { isTrue(world, $0) } && isShared(world, slots)
        }
    }

    func expectCondition(
        _ reader: inout CommandReader, in world: World
    ) throws(Scenario.Misspelt) -> Answer {
        let condition = try condition(&reader, in: world)
        return condition.holds(in: world) ? Answer() : Answer(complaint: "\(condition.text): it is not so")
    }

    /// Goes on until it is so.
    func awaitCondition(
        _ reader: inout CommandReader, in world: World
    ) throws(Scenario.Misspelt) -> Answer {
        let condition = try condition(&reader, in: world)
        try reader.expect("within")
        let bound = try reader.duration()
        let begin = world.now
        if world.run(until: begin + bound, or: { condition.holds(in: world) }) { return Answer() }
        return Answer(complaint: "\(condition.text): not within \(Self.moment(bound)) s")
    }

    private func condition(
        _ reader: inout CommandReader, in world: World
    ) throws(Scenario.Misspelt) -> Condition {
        let words = reader.all { $0 == "on" || $0 == "against" ? nil : $0 }
        if reader.skip("against") {
            let culprits = try reader.nodes(of: plan.nodes)
            return Condition(text: "evidence against \(Self.list(culprits))", slots: culprits) {
                world, culprit in
                world.trace.entries.contains { $0.topic == .evidence && $0.text.hasSuffix("n\(culprit)") }
            }
        }
        try reader.expect("on")
        let slots = try reader.nodes(of: plan.nodes)
        let text = "\(words.joined(separator: " ")) on \(Self.list(slots))"
        func make(_ isTrue: @escaping (World, Int) -> Bool) -> Condition {
            Condition(text: text, slots: slots, isTrue: isTrue)
        }
        func replica(_ isTrue: @escaping (Replica) -> Bool) -> Condition {
            make { world, slot in world.nodes[slot].replica.map(isTrue) ?? false }
        }
        switch words.last {
        case "final" where words.first == "block" && words.count == 3:
            return make { world, slot in
                world.trace.block(named: words[1]).map { world.isFinal($0, at: slot) } ?? false
            }
        case "final":
            let names = words.dropLast().filter { $0 != "not" }
            var numbers: [Int] = []
            for name in names { numbers.append(try entry(name, in: world, reader)) }
            let isNegated = words.contains("not")
            return make { world, slot in
                numbers.allSatisfy { world.isFinal(entry: $0, at: slot) != isNegated }
            }
        case "level":
            var condition = replica { $0.safety.phase == .normal && $0.tip == $0.committed.tip }
            condition.isShared = { world, slots in
                let replicas = slots.compactMap { world.nodes[$0].replica }
                return replicas.allSatisfy {
                    $0.view == replicas[0].view && $0.committed.tip == replicas[0].committed.tip
                }
            }
            return condition
        case "short" where words == ["timeouts", "short"]: return replica { $0.failures == 0 }
        case "long" where words == ["timeouts", "long"]: return replica { $0.failures == 6 }
        default: break
        }
        guard let number = words.last.flatMap({ UInt64($0) }) else {
            throw reader.misspelt("«\(words.joined(separator: " "))» cannot be expected")
        }
        switch Array(words.dropLast()) {
        case ["view"]: return replica { $0.view.value == number && $0.safety.phase == .normal }
        case ["view", "at", "most"]: return replica { $0.view.value <= number }
        case ["waiting", "for", "view"]:
            return replica { $0.view.value == number && $0.safety.phase != .normal }
        case ["height"]: return replica { $0.committed.tip.header.height.value == number }
        case ["height", "at", "least"]: return replica { $0.committed.tip.header.height.value >= number }
        default: throw reader.misspelt("«\(words.joined(separator: " "))» cannot be expected")
        }
    }

    private static func list(_ slots: [Int]) -> String { slots.map { "n\($0)" }.joined(separator: " ") }

    /// Where each node stands, those together that stand alike.
    func states(of world: World) -> [String] {
        var groups: [(nodes: [String], text: String)] = []
        for node in world.nodes {
            let text =
                node.replica.map { replica in
                    let view = "\(replica.safety.phase == .normal ? "in" : "waits for") view \(replica.view)"
                    let tip = replica.tip.header.height, final = replica.committed.tip.header.height
                    return "\(view), final to \(final)\(tip == final ? "" : ", tip \(tip)")"
                } ?? "is down"
            if let index = groups.firstIndex(where: { $0.text == text }) {
                groups[index].nodes.append("n\(node.id)")
            } else {
                groups.append((["n\(node.id)"], text))
            }
        }
        return groups.map { "\($0.nodes.joined(separator: " ")): \($0.text)" }
    }
}

extension World {
    func isFinal(entry number: Int, at slot: Int) -> Bool {
        guard let identity = pool.items[number].entry.identity,
            let replica = nodes[slot].replica
        else { return false }
        return nodes[slot].documents.contains(identity, below: replica.committed.tip.header.treeSize)
    }

    func isFinal(_ block: Digest, at slot: Int) -> Bool {
        guard let replica = nodes[slot].replica, let header = nodes[slot].disk.blocks[block]?.header,
            header.height <= replica.committed.tip.header.height
        else { return false }
        return nodes[slot].disk.block(at: header.height.value)?.headerHash == block
    }
}
