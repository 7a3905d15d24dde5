extension PatternProgram {
    /// Where groups begin and end, in scalars; -1 for not yet.
    private typealias Slots = [Int]

    private struct Thread {
        let place: Int
        let slots: Slots
    }

    /// The ways that have come to one place of the text, the preferred first.
    private struct Front {
        var threads: [Thread] = []
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
        mutating func advance(into taken: inout [Thread]) {
            taken.removeAll(keepingCapacity: true)
            swap(&taken, &threads)
            position += 1
        }
    }

    /// Whether the whole of `text` matches.
    func matches(_ text: String) -> Bool { slots(of: text) != nil }

    /// Where each group matched, in scalars; `nil` unless the whole text matches.
    func groups(of text: String) -> [Range<Int>?]? {
        guard let slots = slots(of: text) else { return nil }
        return (0..<slotCount / 2).map { group in
            let (start, end) = (slots[group * 2], slots[group * 2 + 1])
            return start >= 0 && end >= start ? start..<end : nil
        }
    }

    private func slots(of text: String) -> Slots? {
        var scalars = text.unicodeScalars.makeIterator()
        var next = scalars.next()
        var front = Front(instructions: instructions.count)
        follow(Thread(place: 0, slots: Array(repeating: -1, count: slotCount)), into: &front, nil, next)
        var threads: [Thread] = []
        while let here = next {
            if front.threads.isEmpty { return nil }
            next = scalars.next()
            front.advance(into: &threads)
            for thread in threads {
                if case .consume(let set) = instructions[thread.place], set.contains(here) {
                    follow(Thread(place: thread.place + 1, slots: thread.slots), into: &front, here, next)
                }
            }
        }
        return front.threads.first { thread in
            if case .accept = instructions[thread.place] { true } else { false }
        }?.slots
    }

    /// Adds the instructions that consume or accept and are reached from `start` without consuming.
    private func follow(
        _ start: Thread, into front: inout Front, _ previous: Unicode.Scalar?, _ next: Unicode.Scalar?
    ) {
        var open = [start]
        while let thread = open.popLast() {
            guard front.reach(thread.place) else { continue }
            switch instructions[thread.place] {
            case .consume, .accept: front.threads.append(thread)
            case .jump(let target): open.append(Thread(place: target, slots: thread.slots))
            case .fork(let first, let second):
                open.append(Thread(place: second, slots: thread.slots))
                open.append(Thread(place: first, slots: thread.slots))
            case .check(let assertion):
                if assertion.holds(between: previous, and: next) {
                    open.append(Thread(place: thread.place + 1, slots: thread.slots))
                }
            case .save(let slot):
                var slots = thread.slots
                slots[slot] = front.position
                open.append(Thread(place: thread.place + 1, slots: slots))
            }
        }
    }
}
