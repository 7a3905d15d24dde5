import Replication

/// Which messages arrive at all, and in which order.
struct VirtualNetwork {
    /// What befalls messages of some kinds on some links.
    struct Filter {
        enum Fate: Equatable {
            case drop, double, damage
            /// By so many microseconds.
            case delay(Int)
        }
        let fate: Fate
        /// All kinds, where it is empty.
        let kinds: [MessageKind]
        let from: [Int]
        let to: [Int]
    }

    var filters: [Filter] = []
    /// A change that can be mended: the links that it cut.
    struct Cut {
        var links: [(from: Int, to: Int)] = []
    }

    private let slots: Int
    /// How many cuts each link has.
    private var cuts: [Int]
    /// When the last message of each link arrives, where order is kept.
    private var last: [Int]

    init(slots: Int) {
        self.slots = slots
        cuts = Array(repeating: 0, count: slots * slots)
        last = cuts
    }

    func isCut(_ from: Int, _ to: Int) -> Bool { cuts[from * slots + to] > 0 }

    mutating func apply(_ cut: Cut) { for link in cut.links { cuts[link.from * slots + link.to] += 1 } }

    mutating func mend(_ cut: Cut) {
        for link in cut.links {
            let index = link.from * slots + link.to
            cuts[index] = max(0, cuts[index] - 1)
        }
    }

    func fate(of message: Message, _ from: Int, _ to: Int) -> Filter.Fate? {
        guard !filters.isEmpty else { return nil }
        let kind = MessageKind(message)
        return filters.first { filter in
            (filter.kinds.isEmpty || filter.kinds.contains(kind)) && filter.from.contains(from)
                && filter.to.contains(to)
        }?.fate
    }

    mutating func mendAll() { for index in cuts.indices { cuts[index] = 0 } }

    /// When a message that would arrive at `moment` does, if none overtakes another.
    mutating func inOrder(_ from: Int, _ to: Int, _ moment: Int) -> Int {
        let index = from * slots + to
        last[index] = max(last[index], moment)
        return last[index]
    }
}
