import Ledger
import Replication

/// What a scenario can let happen.
extension Stage {
    func act(_ reader: inout CommandReader, in world: World) throws(Scenario.Misspelt) -> Answer {
        let command = try reader.word("a command")
        switch command {
        case "run": world.run(until: world.now + (try reader.duration()))
        case "settle": world.settle()
        case "await": return try awaitCondition(&reader, in: world)
        case "expect": return try expectCondition(&reader, in: world)
        case "show": for topic in try topics(&reader) { shown.insert(topic) }
        case "hide": for topic in try topics(&reader) { shown.remove(topic) }
        case "state": return Answer(lines: states(of: world))
        case "submit": try submit(&reader, in: world)
        case "load": try load(&reader, in: world)
        case "lie": try lie(&reader, in: world)
        case "crash", "tear", "restart", "freeze", "thaw", "disk", "clock":
            try befall(command, &reader, in: world)
        default: try changeNetwork(command, &reader, in: world)
        }
        return Answer()
    }

    private func topics(_ reader: inout CommandReader) throws(Scenario.Misspelt) -> [Trace.Topic] {
        let names: [String: [Trace.Topic]] = [
            "views": [.view], "commits": [.final], "clients": [.client], "refusals": [.refusal],
            "evidence": [.evidence], "faults": [.fault], "disks": [.disk], "lies": [.lie],
        ]
        let isReceived = reader.skip("received")
        let topics = reader.all { word -> [Trace.Topic]? in
            if let kind = MessageKind(rawValue: word) { return [isReceived ? .received(kind) : .sent(kind)] }
            return names[word]
        }
        guard !topics.isEmpty else { throw reader.misspelt("nothing of that name is ever shown") }
        return topics.flatMap { $0 }
    }

    // MARK: Clients

    private func submit(_ reader: inout CommandReader, in world: World) throws(Scenario.Misspelt) {
        let names = reader.all { $0 == "at" ? nil : $0 }
        try reader.expect("at")
        let slots = try reader.nodes(of: plan.nodes)
        for name in names {
            let number = try entry(name, in: world, reader)
            for slot in slots where world.nodes[slot].replica != nil { world.submit(number, at: slot) }
        }
    }

    /// `load 50 at 0 1 2 every 20ms`: from now on, each at another of these nodes.
    private func load(_ reader: inout CommandReader, in world: World) throws(Scenario.Misspelt) {
        let count = try reader.number("how many")
        try reader.expect("at")
        let slots = try reader.nodes(of: plan.nodes)
        try reader.expect("every")
        let interval = try reader.duration()
        for position in 0..<count {
            let number = try entry("\(entries.count + 1)", in: world, reader)
            let slot = slots[position % slots.count]
            world.schedule.add(.offer(item: number, slot: slot), at: world.now + position * interval)
        }
    }

    // MARK: Nodes

    private func befall(
        _ what: String, _ reader: inout CommandReader, in world: World
    ) throws(Scenario.Misspelt) {
        let slots = try reader.nodes(of: plan.nodes)
        let kept = what == "crash" && reader.skip("keeping") ? try reader.number("how many records") : 0
        let word = what == "disk" || what == "clock" ? try reader.word("what of it") : ""
        for slot in slots {
            switch what {
            case "crash": world.crash(slot, keeping: kept)
            case "tear":
                // The log was written, its payload keys were not.
                let pending = world.nodes[slot].disk.pending
                let fresh = world.nodes[slot].disk.fresh(in: pending)
                guard !fresh.isEmpty else { throw reader.misspelt("no block is on its way to the disk") }
                world.crash(slot, keeping: pending.count, fresh.map { ($0, .torn) })
            case "restart":
                guard world.nodes[slot].replica == nil else { throw reader.misspelt("it is not down") }
                world.start(slot)
            case "freeze": world.freeze(slot, until: .max)
            case "thaw": world.thaw(slot)
            case "disk": try setDisk(of: slot, to: word, reader, in: world)
            default:
                guard let seconds = Int64(word.dropLast()), word.hasSuffix("s") else {
                    throw reader.misspelt("«\(word)» is not so many seconds")
                }
                world.nodes[slot].clockOffset = seconds * 1000
            }
        }
    }

    private func setDisk(
        of slot: Int, to word: String, _ reader: CommandReader, in world: World
    ) throws(Scenario.Misspelt) {
        switch word {
        case "full": world.nodes[slot].disk.isFull = true
        case "free": world.nodes[slot].disk.isFull = false
        default:
            guard let milliseconds = Int(word.dropLast(2)), word.hasSuffix("ms") else {
                throw reader.misspelt("a disk is full, free, or takes so many ms")
            }
            world.nodes[slot].disk.latency = milliseconds * 1000...milliseconds * 1000
        }
    }

    // MARK: The network

    private func changeNetwork(
        _ command: String, _ reader: inout CommandReader, in world: World
    ) throws(Scenario.Misspelt) {
        switch command {
        case "cut": try cut(&reader, in: world)
        case "heal":
            world.network.mendAll()
            world.network.filters = []
        case "drop": try filter(.drop, &reader, in: world)
        case "double": try filter(.double, &reader, in: world)
        case "damage": try filter(.damage, &reader, in: world)
        case "delay": try filter(.delay(try reader.duration()), &reader, in: world)
        default: throw reader.misspelt("«\(command)» is no command")
        }
    }

    /// `cut 0 1 -> 2 3`, or both ways `cut 0 -- *`.
    private func cut(_ reader: inout CommandReader, in world: World) throws(Scenario.Misspelt) {
        let left = try reader.nodes(of: plan.nodes)
        let isBothWays = reader.skip("--")
        if !isBothWays { try reader.expect("->") }
        let right = try reader.nodes(of: plan.nodes)
        for from in left {
            for to in right where from != to {
                world.network.apply(.init(links: [(from, to)] + (isBothWays ? [(to, from)] : [])))
            }
        }
    }

    /// `drop PREPARE COMMIT from 0 1 to 2`: of these kinds, or of all; from all and to all where nothing else is said.
    private func filter(
        _ fate: VirtualNetwork.Filter.Fate, _ reader: inout CommandReader, in world: World
    ) throws(Scenario.Misspelt) {
        let kinds = reader.all { MessageKind(rawValue: $0) }
        let all = Array(0..<plan.nodes)
        let from = reader.skip("from") ? try reader.nodes(of: plan.nodes) : all
        let to = reader.skip("to") ? try reader.nodes(of: plan.nodes) : all
        world.network.filters.append(.init(fate: fate, kinds: kinds, from: from, to: to))
    }
}
