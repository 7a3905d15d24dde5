import Testing

@testable import Chaos

@Suite struct `A schedule of faults` {
    private let hour = 3_600_000

    @Test func `is the same for the same seed`() {
        let one = FaultSchedule(seed: 5, milliseconds: hour, nodes: 4)
        #expect(one == FaultSchedule(seed: 5, milliseconds: hour, nodes: 4))
        #expect(one != FaultSchedule(seed: 6, milliseconds: hour, nodes: 4))
    }

    @Test(arguments: [1, 3, 4, 7])
    func `tries every fault in an hour, mostly on no more nodes than may fail`(nodes: Int) {
        let schedule = FaultSchedule(seed: 1, milliseconds: hour, nodes: nodes)
        let time = schedule.episodes.reduce(0) { $0 + $1.durationMilliseconds }
        #expect((hour * 9 / 10...hour + 60_000).contains(time))
        // One node alone has a fault of any kind in one episode of seven only.
        let kinds = Set(schedule.episodes.flatMap(\.faults).map(\.kind))
        #expect(nodes == 1 ? kinds.count > 4 : kinds == Set(Fault.Kind.allCases))
        let beyond = schedule.episodes.count { $0.faults.count > (nodes - 1) / 3 }
        #expect(beyond > 3)
        #expect(beyond * 3 < schedule.episodes.count)
        #expect(schedule.episodes.allSatisfy { $0.faults.count <= nodes })
        if nodes >= 4 { #expect(schedule.episodes.contains { $0.faults.first?.target == .primary }) }
        #expect(schedule.episodes.contains { $0.network.loss > 0 })
    }

    @Test func `gives each fault a node of its own, and the primary what is meant for it`() {
        for draw in UInt64(0)..<40 {
            for primary in 0..<4 {
                let episode = Episode(
                    calmMilliseconds: 0, lastsMilliseconds: 0, [Fault(.pause), Fault(.kill, .primary)],
                    draw: draw)
                let nodes = episode.nodes(primary: primary, of: 4)
                #expect(nodes[1] == primary)
                #expect(Set(nodes).count == 2)
            }
        }
    }
}
