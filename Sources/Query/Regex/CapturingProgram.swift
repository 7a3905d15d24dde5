/// A pattern as instructions of a machine that follows all ways at once and remembers where groups began and ended on
/// the way that Go would take: of several, the first.
///
/// Time is bounded by pattern times text times groups.
/// Source: R. Cox, "Regular Expression Matching: the Virtual Machine Approach".
struct CapturingProgram: Sendable {
    private enum Instruction: Sendable {
        case consume(ScalarSet)
        /// Go on at both places, the first preferred.
        case fork(Int, Int)
        case jump(Int)
        case check(PatternNode.Assertion)
        case save(Int)
        case accept
    }

    /// Where the groups begin and end; -1 for not yet.
    private typealias Slots = [Int]
    private struct Thread {
        let place: Int
        let slots: Slots
    }

    private var instructions: [Instruction] = []
    private let slotCount: Int

    /// - Parameter groups: with group 0, the whole.
    init(_ node: PatternNode, groups: Int) throws(Pattern.Failure) {
        slotCount = groups * 2
        try compile(.capture(node, group: 0))
        try emit(.accept)
        // Each way keeps its own places of groups.
        guard instructions.count * slotCount <= QueryLimits.patternInstructions * 20 else {
            throw Pattern.Failure("expression too large")
        }
    }

    private mutating func emit(_ instruction: Instruction) throws(Pattern.Failure) {
        guard instructions.count < QueryLimits.patternInstructions else {
            throw Pattern.Failure("expression too large")
        }
        instructions.append(instruction)
    }

    private mutating func compile(_ node: PatternNode) throws(Pattern.Failure) {
        switch node {
        case .scalars(let set): try emit(.consume(set))
        case .assertion(let assertion): try emit(.check(assertion))
        case .sequence(let nodes): for node in nodes { try compile(node) }
        case .capture(let body, let group):
            try emit(.save(group * 2))
            try compile(body)
            try emit(.save(group * 2 + 1))
        case .alternation(let choices):
            var jumps: [Int] = []
            for choice in choices.dropLast() {
                let fork = instructions.count
                try emit(.fork(fork + 1, 0))
                try compile(choice)
                jumps.append(instructions.count)
                try emit(.jump(0))
                instructions[fork] = .fork(fork + 1, instructions.count)
            }
            if let last = choices.last { try compile(last) }
            for jump in jumps { instructions[jump] = .jump(instructions.count) }
        case .repetition(let body, let minimum, let maximum, let isLazy):
            for _ in 0..<minimum {
                // An empty body costs no instruction, and may be repeated a thousand times a thousand times.
                let before = instructions.count
                try compile(body)
                if instructions.count == before { break }
            }
            guard let maximum else { return try compileLoop(body, isLazy) }
            var forks: [Int] = []
            for _ in minimum..<maximum {
                forks.append(instructions.count)
                try emit(.fork(0, 0))
                try compile(body)
            }
            for fork in forks { setFork(fork, body: fork + 1, beyond: instructions.count, isLazy) }
        }
    }

    private mutating func compileLoop(
        _ body: PatternNode, _ isLazy: Bool
    ) throws(Pattern.Failure) {
        let fork = instructions.count
        try emit(.fork(0, 0))
        try compile(body)
        try emit(.jump(fork))
        setFork(fork, body: fork + 1, beyond: instructions.count, isLazy)
    }

    private mutating func setFork(_ fork: Int, body: Int, beyond: Int, _ isLazy: Bool) {
        instructions[fork] = isLazy ? .fork(beyond, body) : .fork(body, beyond)
    }

    /// Where each group matched, in scalars; `nil` unless the whole text matches.
    func groups(of text: [Unicode.Scalar]) -> [Range<Int>?]? {
        var threads: [Thread] = []
        var seen = Array(repeating: -1, count: instructions.count)
        follow(0, Array(repeating: -1, count: slotCount), at: 0, text, &threads, &seen)
        for position in text.indices {
            var next: [Thread] = []
            for thread in threads {
                if case .consume(let set) = instructions[thread.place], set.contains(text[position]) {
                    follow(thread.place + 1, thread.slots, at: position + 1, text, &next, &seen)
                }
            }
            threads = next
        }
        let accepted = threads.first { thread in
            if case .accept = instructions[thread.place] { true } else { false }
        }
        guard let slots = accepted?.slots else { return nil }
        return (0..<slotCount / 2).map { group in
            let (start, end) = (slots[group * 2], slots[group * 2 + 1])
            return start >= 0 && end >= start ? start..<end : nil
        }
    }

    /// Adds the instructions that consume or accept and are reached from `start`, the preferred first.
    private func follow(
        _ start: Int, _ slots: Slots, at position: Int, _ text: [Unicode.Scalar], _ threads: inout [Thread],
        _ seen: inout [Int]
    ) {
        var open = [Thread(place: start, slots: slots)]
        while let thread = open.popLast() {
            guard seen[thread.place] != position else { continue }
            seen[thread.place] = position
            switch instructions[thread.place] {
            case .consume, .accept: threads.append(thread)
            case .jump(let target): open.append(Thread(place: target, slots: thread.slots))
            case .fork(let first, let second):
                open.append(Thread(place: second, slots: thread.slots))
                open.append(Thread(place: first, slots: thread.slots))
            case .check(let assertion):
                let previous = position > 0 ? text[position - 1] : nil
                let next = position < text.count ? text[position] : nil
                if assertion.holds(between: previous, and: next) {
                    open.append(Thread(place: thread.place + 1, slots: thread.slots))
                }
            case .save(let slot):
                var slots = thread.slots
                slots[slot] = position
                open.append(Thread(place: thread.place + 1, slots: slots))
            }
        }
    }
}
