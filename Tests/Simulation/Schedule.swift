/// What will happen, by time; what is due at one moment happens in the order in which it was planned.
struct Schedule<What> {
    struct Item {
        let time: Int
        let number: Int
        let what: What
    }

    private var heap: [Item] = []
    private var planned = 0

    var count: Int { heap.count }
    var next: Int? { heap.first?.time }

    mutating func add(_ what: What, at time: Int) {
        heap.append(Item(time: time, number: planned, what: what))
        planned += 1
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard isBefore(child, parent) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> Item? {
        guard !heap.isEmpty else { return nil }
        heap.swapAt(0, heap.count - 1)
        let first = heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isBefore(child, least) {
                least = child
            }
            guard least != parent else { break }
            heap.swapAt(least, parent)
            parent = least
        }
        return first
    }

    /// Takes out what is planned for such times, in its order.
    mutating func removeAll(where isAffected: (_ time: Int) -> Bool) -> [What] {
        let taken = heap.filter { isAffected($0.time) }.sorted { ($0.time, $0.number) < ($1.time, $1.number) }
        // What is sorted is a heap.
        heap = heap.filter { !isAffected($0.time) }.sorted { ($0.time, $0.number) < ($1.time, $1.number) }
        return taken.map(\.what)
    }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        (heap[left].time, heap[left].number) < (heap[right].time, heap[right].number)
    }
}
