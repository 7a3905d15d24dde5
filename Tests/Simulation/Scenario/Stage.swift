import Ledger
import Replication

/// Performs the commands of a scenario on a world in which nothing is left to chance: a message takes a millisecond, a
/// flush another, and clocks agree.
final class Stage {
    let pool: EntryPool
    private(set) var plan = Plan(quiet: 1, mode: .safety, nodes: 4)
    /// Made with the first command that is not about how it should be.
    private var made: World?
    private var judgesVotes = true
    private var isSeeded = false
    /// What went wrong, with the line at which it did.
    private(set) var problem: Problem?

    struct Problem {
        let line: Int
        let text: String
    }

    /// Topics of the trace that are shown.
    var shown: Set<Trace.Topic> = [.view, .final, .refusal, .evidence, .failure, .fault]
    /// Lines of the trace that were looked at.
    private var seen = 0
    /// Entries by the names that the scenario gives them. Looked up, never iterated.
    var entries: [String: Int] = [:]
    private var unnamed: ArraySlice<Int>

    init(pool: EntryPool) {
        self.pool = pool
        // Plain documents: they need no other entry before them.
        unnamed = pool.items.indices.filter { pool.items[$0].isPlain }[...]
    }

    /// - Returns: What is to be read of what followed.
    func perform(_ line: Scenario.Line) throws -> [String] {
        var reader = CommandReader(line)
        if try prepare(&reader) { return [] }
        let world = try world()
        let said = try act(&reader, in: world)
        try reader.end()
        var text = shownLines(of: world) + said.lines
        if let failure = world.failure {
            problem = problem ?? Problem(line: line.number, text: failure)
        } else if let complaint = said.complaint {
            problem = Problem(line: line.number, text: complaint)
            text.append("no: \(complaint)")
        }
        return text
    }

    /// What a command answers beside the trace.
    struct Answer {
        var lines: [String] = []
        /// What it expected in vain.
        var complaint: String?
    }

    // MARK: Before anything happens

    private func prepare(_ reader: inout CommandReader) throws(Scenario.Misspelt) -> Bool {
        let word = reader.next ?? ""
        guard ["nodes", "liar", "gathering", "judging", "seed"].contains(word) else { return false }
        _ = try reader.word("a command")
        guard made == nil else { throw reader.misspelt("«\(word)» comes too late: nodes are at work") }
        switch word {
        case "nodes": plan.nodes = try reader.number("how many")
        case "liar":
            for node in try reader.nodes(of: plan.nodes) {
                plan.liars.append((node, Plan.Habits(rawValue: 0)))
            }
        case "gathering":
            try reader.expect("votes")
            plan.gathersVotes = true
        case "judging":
            try reader.expect("outcomes")
            try reader.expect("alone")
            judgesVotes = false
        default: try setSeed(&reader)
        }
        try reader.end()
        return true
    }

    /// The very world of a seed: what a campaign found, before someone has told it in commands.
    private func setSeed(_ reader: inout CommandReader) throws(Scenario.Misspelt) {
        let seed = UInt64(try reader.number("the seed"))
        let text = try reader.word("the mode")
        guard let mode = Mode(rawValue: text) else { throw reader.misspelt("the mode is safety or liveness") }
        isSeeded = true
        plan = reader.skip("hostile") ? Plan(hostile: seed, mode: mode) : Plan(seed: seed, mode: mode)
    }

    private func world() throws -> World {
        if let made { return made }
        if !isSeeded {
            plan.isSteady = true
            plan.delay = 1000...1000
            // Faults come when they are called for.
            plan.faultTime = .max
            plan.entries = 0
        }
        let world = try World(plan, pool: pool, traced: true)
        world.oracle.judgesVotes = judgesVotes
        world.eventLimit *= 50
        made = world
        world.begin()
        return world
    }

    // MARK: The trace

    /// What was not yet shown: blocks together that became final at once, and nodes together that did the same one
    /// after the other.
    private func shownLines(of world: World) -> [String] {
        var lines: [Trace.Line] = []
        for line in world.trace.entries[seen...] where shown.contains(line.topic) {
            if line.topic == .final, let last = lines.last, last.topic == .final, last.node == line.node,
                last.time == line.time
            {
                let text = last.text + line.text.dropFirst("commits".count)
                lines[lines.endIndex - 1] = .init(time: last.time, topic: .final, node: last.node, text: text)
            } else {
                lines.append(line)
            }
        }
        seen = world.trace.entries.count
        var groups: [(time: Int, nodes: [String], text: String)] = []
        for line in lines {
            if let node = line.node, let last = groups.last, last.text == line.text,
                !last.nodes.contains(node)
            {
                groups[groups.endIndex - 1].nodes.append(node)
            } else {
                groups.append((line.time, line.node.map { [$0] } ?? [], line.text))
            }
        }
        return groups.map { group in
            let nodes = group.nodes.sorted().joined(separator: " ")
            return "\(Self.moment(group.time))  \(nodes.isEmpty ? "" : nodes + ": ")\(group.text)"
        }
    }

    /// Seconds with three places.
    static func moment(_ microseconds: Int) -> String {
        let milliseconds = microseconds / 1000
        return "\(milliseconds / 1000).\(String(milliseconds % 1000 + 1000).dropFirst())"
    }

    // MARK: Entries

    /// The entry of this name: the next document of the pool for a new one.
    func entry(_ name: String, in world: World, _ reader: CommandReader) throws(Scenario.Misspelt) -> Int {
        if let number = entries[name] { return number }
        guard let number = unnamed.popFirst() else { throw reader.misspelt("there are no more entries") }
        entries[name] = number
        world.aliases[number] = name
        return number
    }
}
