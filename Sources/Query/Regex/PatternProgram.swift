/// A pattern as instructions of a machine that follows all ways at once.
///
/// Where groups are wanted, it remembers where they began and ended on the way that Go would take: of several, the first.
/// Time is bounded by pattern times text, and times groups where they are wanted.
/// Source: R. Cox, "Regular Expression Matching: the Virtual Machine Approach".
struct PatternProgram: Sendable {
    enum Instruction: Sendable {
        case consume(ScalarSet)
        /// Go on at both places, the first preferred.
        case fork(Int, Int)
        case jump(Int)
        case check(PatternNode.Assertion)
        case save(Int)
        case accept
    }

    private(set) var instructions: [Instruction] = []
    /// Places where groups begin and end.
    let slotCount: Int
    /// Nodes compiled, repeated ones each time: an empty group repeated a thousand times a thousand times makes no
    /// instruction, but work.
    private var work = 0

    /// - Parameter groups: those whose places are wanted, the whole being the first; 0 for none.
    init(_ node: PatternNode, groups: Int = 0) throws(Pattern.Failure) {
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
        work += 1
        guard work <= QueryLimits.patternInstructions * 4 else {
            throw Pattern.Failure("expression too large")
        }
        switch node {
        case .scalars(let set): try emit(.consume(set))
        case .assertion(let assertion): try emit(.check(assertion))
        case .sequence(let nodes): for node in nodes { try compile(node) }
        case .alternation(let choices): try compile(choices: choices)
        case .capture(let body, let group):
            guard slotCount > 0 else { return try compile(body) }
            try emit(.save(group * 2))
            try compile(body)
            try emit(.save(group * 2 + 1))
        case .repetition(let body, let minimum, let maximum, let isLazy):
            for _ in 0..<minimum { try compile(body) }
            guard let maximum else { return try compile(repeating: body, isLazy) }
            var forks: [Int] = []
            for _ in minimum..<maximum {
                forks.append(instructions.count)
                try emit(.fork(0, 0))
                try compile(body)
            }
            for fork in forks { setFork(fork, beyond: instructions.count, isLazy) }
        }
    }

    private mutating func compile(choices: [PatternNode]) throws(Pattern.Failure) {
        var jumps: [Int] = []
        for choice in choices.dropLast() {
            let fork = instructions.count
            try emit(.fork(0, 0))
            try compile(choice)
            jumps.append(instructions.count)
            try emit(.jump(0))
            setFork(fork, beyond: instructions.count, false)
        }
        if let last = choices.last { try compile(last) }
        for jump in jumps { instructions[jump] = .jump(instructions.count) }
    }

    private mutating func compile(repeating body: PatternNode, _ isLazy: Bool) throws(Pattern.Failure) {
        let fork = instructions.count
        try emit(.fork(0, 0))
        try compile(body)
        try emit(.jump(fork))
        setFork(fork, beyond: instructions.count, isLazy)
    }

    /// What the fork is about follows it; a lazy one would rather go beyond that.
    private mutating func setFork(_ fork: Int, beyond: Int, _ isLazy: Bool) {
        instructions[fork] = isLazy ? .fork(beyond, fork + 1) : .fork(fork + 1, beyond)
    }
}
