import TestSupport

/// What a run promises.
public enum Mode: String, CaseIterable, Sendable {
    /// Faults to the end: nothing may contradict, progress is not demanded.
    case safety
    /// Faults for a while; then what was submitted is committed, and all nodes end level.
    case liveness
}

/// What a seed decides about a world before it begins.
public struct Plan: Sendable {
    public var seed: UInt64
    public var mode: Mode
    public var nodes = 4
    public var gathersVotes = false
    /// Virtual microseconds with faults.
    public var faultTime = 10_000_000
    /// Messages of one connection keep their order, as in TCP.
    public var keepsOrder = true
    /// Microseconds that a message travels.
    public var delay = 300...3000
    /// In millionths.
    public var loss = 0
    public var duplication = 0
    public var mutation = 0
    /// Mean time between two faults of the world, in microseconds; zero is none.
    public var faultInterval = 0
    /// Clients' entries, and the mean time between two.
    public var entries = 20
    public var entryInterval = 200_000
    /// By node.
    public var liars: [(id: Int, habits: Habits)] = []
    public var twins: [Int] = []
    /// What may happen to nodes and links.
    public var faults: [Fault] = []
    /// Nothing is left to chance: clocks agree, and every disk takes one millisecond. For scenarios.
    public var isSteady = false

    public enum Fault: CaseIterable, Sendable {
        case partition, oneWay, deaf, crash, crashMany, slowDisk, fullDisk, clock, pause, storm, heal
    }

    /// What a liar does.
    public struct Habits: OptionSet, Hashable, Sendable {
        public let rawValue: Int
        public init(rawValue: Int) { self.rawValue = rawValue }

        public static let equivocates = Habits(rawValue: 1)
        public static let votesForAll = Habits(rawValue: 2)
        public static let withholds = Habits(rawValue: 4)
        public static let replays = Habits(rawValue: 8)
        public static let hidesCertificates = Habits(rawValue: 16)
        public static let forgesEntries = Habits(rawValue: 32)
        public static let isSilentPrimary = Habits(rawValue: 64)
        public static let starvesOne = Habits(rawValue: 128)
        public static let liesInStatus = Habits(rawValue: 256)
        public static let makesTrouble = Habits(rawValue: 512)
        public static let splitsViews = Habits(rawValue: 1024)
        public static let all = 11
    }

    /// A world without faults, to be changed.
    public init(quiet seed: UInt64, mode: Mode, nodes: Int) {
        self.seed = seed
        self.mode = mode
        self.nodes = nodes
    }

    /// A world in which views change all the time and one of four lies in every way: for the mutants.
    public init(hostile seed: UInt64, mode: Mode) {
        var random = SeededGenerator(seed: seed ^ 0xBAD)
        self.init(quiet: seed, mode: mode, nodes: 4)
        faultTime = 8_000_000
        keepsOrder = seed % 2 == 0
        delay = random.pick([300...3000, 1000...20_000, 1000...60_000])
        loss = random.pick([0, 20_000, 200_000])
        faultInterval = 250_000
        entries = 60
        entryInterval = 30_000
        faults = [.partition, .oneWay, .oneWay, .crash, .storm, .heal, .slowDisk]
        let liar = random.below(4)
        if seed % 4 == 0 { twins = [liar] } else { liars = [(liar, Habits(rawValue: (1 << Habits.all) - 1))] }
    }

    /// The world of a seed.
    ///
    /// - Parameter nodes: chosen by the seed without one.
    public init(seed: UInt64, mode: Mode, nodes: Int? = nil) {
        var random = SeededGenerator(seed: seed &* 0x9E37_79B9_7F4A_7C15 ^ 0x5EED)
        self.init(quiet: seed, mode: mode, nodes: 4)
        let sizes = [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 7, 7, 5, 5, 3, 2, 1, 10, 4, 4]
        let chosen = random.pick(sizes)
        self.nodes = nodes ?? chosen
        gathersVotes = random.chance(250_000)
        faultTime = random.pick([3_000_000, 6_000_000, 10_000_000, 20_000_000])
        keepsOrder = random.chance(600_000)
        delay = random.pick([100...1000, 300...3000, 1000...20_000, 5000...100_000, 100...300_000])
        loss = random.pick([0, 0, 2000, 20_000, 100_000, 250_000])
        duplication = random.pick([0, 0, 10_000, 100_000])
        mutation = random.pick([0, 0, 0, 5000, 30_000])
        faultInterval = random.pick([0, 300_000, 800_000, 1_500_000, 3_000_000])
        entries = random.pick([3, 10, 20, 40])
        entryInterval = random.pick([2000, 50_000, 200_000, 500_000])
        let all = Fault.allCases
        faults = all.filter { _ in random.chance(450_000) }
        if faults.isEmpty { faults = all }
        let tolerated = (self.nodes - 1) / 3
        let dishonest = random.pick([0, tolerated, tolerated, tolerated])
        var ids = Array(0..<self.nodes)
        for _ in 0..<dishonest {
            let id = ids.remove(at: random.below(ids.count))
            if random.chance(300_000) {
                twins.append(id)
            } else {
                var habits = Habits(rawValue: 0)
                for bit in 0..<Habits.all where random.chance(300_000) {
                    habits.insert(Habits(rawValue: 1 << bit))
                }
                if habits.isEmpty || random.chance(200_000) { habits.insert(.makesTrouble) }
                liars.append((id, habits))
            }
        }
    }
}

extension SeededGenerator {
    /// True in so many of a million cases.
    mutating func chance(_ millionths: Int) -> Bool { millionths > 0 && below(1_000_000) < millionths }

    /// - Precondition: `bound` is positive.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func within(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.upperBound - range.lowerBound + 1)
    }

    /// About `mean`, from a tenth to twice.
    mutating func around(_ mean: Int) -> Int { mean / 10 + below(max(1, mean * 19 / 10)) }
}
