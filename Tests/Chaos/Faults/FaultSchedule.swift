import TestSupport

/// What goes wrong when: the same for the same seed.
public struct FaultSchedule: Sendable, Equatable {
    /// How long things last, in milliseconds.
    public struct Tempo: Sendable {
        public var calm = 2_000...8_000
        public var fault = 3_000...15_000
        /// With more nodes gone than may be: longer than a node waits for a quorum, so that it says so.
        public var beyond = 12_000...25_000

        public init() {}
    }

    public private(set) var episodes: [Episode] = []

    public init(_ episodes: [Episode]) { self.episodes = episodes }

    /// - Parameters:
    ///   - nodes: at most `f` of them are at fault at a time in most episodes, `f + 1` or more in one of seven.
    public init(seed: UInt64, milliseconds: Int, nodes: Int, tempo: Tempo = Tempo()) {
        var random = SeededGenerator(seed: seed)
        let most = (nodes - 1) / 3
        var time = 0
        while true {
            var episode = Episode(
                calmMilliseconds: .random(in: tempo.calm, using: &random),
                lastsMilliseconds: .random(in: tempo.fault, using: &random), [], draw: random.next())
            switch Int.random(in: 0..<14, using: &random) {
            case 0..<6 where most > 0:
                episode.faults = Self.faults(.random(in: 1...most, using: &random), &random)
            case 6..<9 where most > 0:
                episode.faults = Self.faults(.random(in: 1...most, using: &random), &random)
                episode.network = Self.network(&random)
            case 9..<11 where most > 0:
                // One primary after the other, with hardly a pause.
                let kind: Fault.Kind = random.pick([.kill, .kill, .pause, .cutOff])
                episode.faults = [Fault(kind, .primary)]
                episode.lastsMilliseconds = tempo.fault.lowerBound
                for _ in 0..<3 {
                    episodes.append(episode)
                    time += episode.durationMilliseconds
                    episode.calmMilliseconds = 200
                }
            case 11..<13:
                episode.faults = Self.faults(.random(in: most + 1...nodes, using: &random), &random)
                episode.lastsMilliseconds = .random(in: tempo.beyond, using: &random)
            default: episode.network = Self.network(&random)
            }
            guard time + episode.durationMilliseconds <= milliseconds else { break }
            time += episode.durationMilliseconds
            episodes.append(episode)
        }
    }

    private static func faults(_ count: Int, _ random: inout SeededGenerator) -> [Fault] {
        (0..<count).map { number in
            // The primary is one of the nodes in every second episode, whoever it is.
            let target: Fault.Target = number == 0 && Bool.random(using: &random) ? .primary : .other
            // Each second fault is a kill: restarts are where state is lost.
            let kind = Bool.random(using: &random) ? .kill : random.pick(Fault.Kind.allCases)
            return Fault(kind, target)
        }
    }

    private static func network(_ random: inout SeededGenerator) -> LinkCondition {
        switch Int.random(in: 0..<3, using: &random) {
        case 0: .far
        case 1: LinkCondition(loss: random.pick([0.01, 0.05, 0.15]))
        default: LinkCondition(delayMilliseconds: 30...70, loss: random.pick([0.01, 0.05]))
        }
    }
}
