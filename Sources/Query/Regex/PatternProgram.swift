/// A pattern as instructions of a machine that follows all ways at once.
struct PatternProgram: Sendable {
    private enum Instruction: Sendable {
        case consume(ScalarSet)
        /// Go on at both places.
        case fork(Int, Int)
        case jump(Int)
        case check(PatternNode.Assertion)
        case accept
    }

    private var instructions: [Instruction] = []
    /// Nodes compiled, repeated ones each time: an empty group repeated a thousand times a thousand times makes no
    /// instruction, but work.
    private var work = 0

    init(_ node: PatternNode) throws(Pattern.Failure) {
        try compile(node)
        try emit(.accept)
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
        case .capture(let body, _): try compile(body)
        case .repetition(let body, let minimum, let maximum, _):
            for _ in 0..<minimum { try compile(body) }
            guard let maximum else { return try compile(repeating: body) }
            var forks: [Int] = []
            for _ in minimum..<maximum {
                forks.append(instructions.count)
                try emit(.fork(instructions.count + 1, 0))
                try compile(body)
            }
            for fork in forks { instructions[fork] = .fork(fork + 1, instructions.count) }
        }
    }

    private mutating func compile(choices: [PatternNode]) throws(Pattern.Failure) {
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
    }

    private mutating func compile(repeating body: PatternNode) throws(Pattern.Failure) {
        let fork = instructions.count
        try emit(.fork(fork + 1, 0))
        try compile(body)
        try emit(.jump(fork))
        instructions[fork] = .fork(fork + 1, instructions.count)
    }

    /// Whether the whole of `value` matches: each character is looked at once by each instruction at most.
    func matches(_ value: String) -> Bool {
        var current = Places(capacity: instructions.count)
        var next = Places(capacity: instructions.count)
        var scalars = value.unicodeScalars.makeIterator()
        var scalar = scalars.next()
        follow(from: 0, into: &current, nil, scalar)
        while let here = scalar {
            if current.members.isEmpty { return false }
            let following = scalars.next()
            next.removeAll()
            for place in current.members {
                if case .consume(let set) = instructions[place], set.contains(here) {
                    follow(from: place + 1, into: &next, here, following)
                }
            }
            swap(&current, &next)
            scalar = following
        }
        return current.members.contains { place in
            if case .accept = instructions[place] { true } else { false }
        }
    }

    /// Adds the instructions that consume or accept and are reached from `start` without consuming.
    private func follow(
        from start: Int, into places: inout Places, _ previous: Unicode.Scalar?, _ next: Unicode.Scalar?
    ) {
        var open = [start]
        while let place = open.popLast() {
            guard places.visit(place) else { continue }
            switch instructions[place] {
            case .consume, .accept: places.members.append(place)
            case .jump(let target): open.append(target)
            case .fork(let first, let second):
                open.append(second)
                open.append(first)
            case .check(let assertion):
                if assertion.holds(between: previous, and: next) { open.append(place + 1) }
            }
        }
    }

    /// A set of instructions, emptied in no time.
    private struct Places {
        var members: [Int] = []
        private var lastVisit: [UInt32]
        private var round: UInt32 = 1

        init(capacity: Int) { lastVisit = Array(repeating: 0, count: capacity) }

        mutating func visit(_ place: Int) -> Bool {
            guard lastVisit[place] != round else { return false }
            lastVisit[place] = round
            return true
        }

        mutating func removeAll() {
            members.removeAll(keepingCapacity: true)
            round &+= 1
        }
    }
}
