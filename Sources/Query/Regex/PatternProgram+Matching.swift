/// What a way through a pattern remembers of its groups.
private protocol GroupMemory {
    mutating func save(_ slot: Int, at position: Int)
}

/// Nothing: whether a text matches costs nothing more then.
private struct NoGroups: GroupMemory {
    mutating func save(_ slot: Int, at position: Int) {}
}

/// Where they begin and end, in scalars; -1 for not yet.
private struct GroupPlaces: GroupMemory {
    var slots: [Int]
    mutating func save(_ slot: Int, at position: Int) { slots[slot] = position }
}

private struct Thread<Groups: GroupMemory> {
    let place: Int
    let groups: Groups
}

/// The ways that have come to one place of the text, the preferred first.
private struct Front<Groups: GroupMemory> {
    var threads: [Thread<Groups>] = []
    /// Those that have not been followed yet, the preferred last.
    var open: [Thread<Groups>] = []
    private(set) var position = 0
    /// For each instruction the place of the text where it was last reached: each is followed once at each.
    private var reached: [Int]

    init(instructions: Int) { reached = Array(repeating: -1, count: instructions) }

    mutating func reach(_ place: Int) -> Bool {
        guard reached[place] != position else { return false }
        reached[place] = position
        return true
    }

    /// Takes the threads, to go on from them behind the next character.
    mutating func advance(into taken: inout [Thread<Groups>]) {
        taken.removeAll(keepingCapacity: true)
        swap(&taken, &threads)
        position += 1
    }
}

extension PatternProgram {
    /// Whether the whole of `text` matches.
    func matches(_ text: String) -> Bool { way(through: text, NoGroups()) != nil }

    /// Where each group matched, in scalars; `nil` unless the whole text matches.
    func groups(of text: String) -> [Range<Int>?]? {
        let none = GroupPlaces(slots: Array(repeating: -1, count: slotCount))
        guard let slots = way(through: text, none)?.slots else { return nil }
        return (0..<slotCount / 2).map { group in
            let (start, end) = (slots[group * 2], slots[group * 2 + 1])
            return start >= 0 && end >= start ? start..<end : nil
        }
    }

    /// What the preferred way remembers; `nil` unless the whole text matches.
    private func way<Groups: GroupMemory>(through text: String, _ none: Groups) -> Groups? {
        var scalars = text.unicodeScalars.makeIterator()
        var next = scalars.next()
        var front = Front<Groups>(instructions: instructions.count)
        follow(Thread(place: 0, groups: none), into: &front, nil, next)
        var threads: [Thread<Groups>] = []
        while let here = next {
            if front.threads.isEmpty { return nil }
            next = scalars.next()
            front.advance(into: &threads)
            for thread in threads {
                if case .consume(let set) = instructions[thread.place], set.contains(here) {
                    follow(Thread(place: thread.place + 1, groups: thread.groups), into: &front, here, next)
                }
            }
        }
        return front.threads.first { thread in
            if case .accept = instructions[thread.place] { true } else { false }
        }?.groups
    }

    /// Adds the instructions that consume or accept and are reached from `start` without consuming.
    private func follow<Groups: GroupMemory>(
        _ start: Thread<Groups>, into front: inout Front<Groups>, _ previous: Unicode.Scalar?,
        _ next: Unicode.Scalar?
    ) {
        front.open.append(start)
        while let thread = front.open.popLast() {
            guard front.reach(thread.place) else { continue }
            func go(_ place: Int) { front.open.append(Thread(place: place, groups: thread.groups)) }
            switch instructions[thread.place] {
            case .consume, .accept: front.threads.append(thread)
            case .jump(let target): go(target)
            case .fork(let first, let second):
                go(second)
                go(first)
            case .check(let assertion):
                if assertion.holds(between: previous, and: next) { go(thread.place + 1) }
            case .save(let slot):
                var groups = thread.groups
                groups.save(slot, at: front.position)
                front.open.append(Thread(place: thread.place + 1, groups: groups))
            }
        }
    }
}
