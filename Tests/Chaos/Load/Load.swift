import Ledger
import NIOCore
import Synchronization
import TestSupport

/// Clients that send documents at a rate, each to whichever node, and again to another until they have a receipt.
final class Load: Sendable {
    private struct State: Sendable {
        var random: SeededGenerator
        var isOver = false
        var isAbandoned = false
        var underWay = 0
        /// Documents a second.
        var rate: Double
        /// Nodes that have just failed somebody, until when clients prefer others.
        var suspects: [ContinuousClock.Instant]
    }

    /// Documents on their way at one time; more are not made.
    static let most = 96

    private let port: LedgerPort
    private let submitter: Submitter
    private let history: History
    private let findings: Findings
    private let policy: Policy
    private let nodes: Int
    private let state: Mutex<State>

    init(
        _ port: LedgerPort, _ submitter: Submitter, policy: Policy, nodes: Int, rate: Double, seed: UInt64,
        history: History, findings: Findings
    ) {
        self.port = port
        self.submitter = submitter
        self.policy = policy
        self.nodes = nodes
        self.history = history
        self.findings = findings
        state = Mutex(
            State(
                random: SeededGenerator(seed: seed), rate: rate,
                suspects: Array(repeating: ContinuousClock.now, count: nodes)))
    }

    /// Puts the session into the log, without which no document can be read.
    func openSession(within limit: Duration) async throws {
        let isOpen = await RealTime.wait(limit) {
            let answer = try? await port.append(
                submitter.session, at: Int.random(in: 0..<nodes), within: .seconds(12))
            return answer?.status == 200 || answer?.status == 201
        }
        guard isOpen else { throw ChaosFailure("no node takes the session") }
    }

    /// Sends until `stop` is called; returns when every document has its receipt, or `abandon` is called.
    func run() async {
        await withDiscardingTaskGroup { group in
            var due = ContinuousClock.now
            while !state.withLock({ $0.isOver }) {
                let gap = state.withLock { Double.random(in: 0.5...1.5, using: &$0.random) / $0.rate }
                due = max(due, ContinuousClock.now - .seconds(1)) + .seconds(gap)
                await RealTime.pause(due - ContinuousClock.now)
                let hasRoom: Bool? = state.withLock { state in
                    // Over since the pause began: nobody waits for what would begin now.
                    if state.isOver { return nil }
                    guard state.underWay < Self.most else { return false }
                    state.underWay += 1
                    return true
                }
                guard let hasRoom else { break }
                guard hasRoom else {
                    history.noteHeldBack()
                    continue
                }
                // Numbered here, so that a document's place in the history is its number.
                let submission: [UInt8]
                let number: Int
                do {
                    var made: [UInt8] = []
                    number = try history.begin { number in
                        let document = try submitter.document(number)
                        made = document.submission
                        return document.leafHash
                    }
                    submission = made
                } catch {
                    findings.add("a document cannot be made: \(error)")
                    break
                }
                group.addTask {
                    await self.deliver(number, submission)
                    self.state.withLock { $0.underWay -= 1 }
                }
            }
        }
    }

    func set(rate: Double) { state.withLock { $0.rate = rate } }
    func stop() { state.withLock { $0.isOver = true } }
    func abandon() { state.withLock { $0.isAbandoned = true } }
    var underWay: Int { state.withLock { $0.underWay } }

    private func deliver(_ number: Int, _ submission: [UInt8]) async {
        var attempt = 0
        var last: Int?
        while !state.withLock({ $0.isAbandoned }) {
            attempt += 1
            let node = pick(except: last)
            last = node
            history.noteAttempt()
            do {
                // The first patience is short, so that a stopped node does not gather all clients; the later ones
                // outlast the node's own, which then says that there is no quorum.
                let answer = try await port.append(
                    submission, at: node, within: attempt == 1 ? .seconds(3) : .seconds(12))
                switch answer.status {
                case 200, 201:
                    return try acknowledge(number, answer, isFirst: attempt == 1)
                case 429, 503: history.noteFailure(answer.problem)
                default:
                    history.noteFailure(answer.problem)
                    findings.add(
                        "document \(number) was answered with \(answer.status): "
                            + String(decoding: answer.body.prefix(300), as: UTF8.self))
                }
            } catch {
                history.noteFailure((error as? LedgerPort.NoAnswer)?.reason ?? "\(error)")
            }
            let pause = state.withLock { state in
                state.suspects[node] = .now + .seconds(2)
                return Int.random(in: 20...200, using: &state.random)
            }
            await RealTime.pause(.milliseconds(pause))
        }
    }

    private func acknowledge(_ number: Int, _ answer: LedgerPort.Answer, isFirst: Bool) throws {
        let append = history.appends(number)
        do {
            let receipt = try Receipt(parsing: answer.body)
            history.acknowledged(number, index: receipt.index.value)
            let checkpoint = try receipt.verify(leafHash: append.leafHash, policy: policy).checkpoint
            if !history.note(checkpoint) { findings.add("two roots are signed for size \(checkpoint.size)") }
            if isFirst, answer.status == 200 {
                findings.add("document \(number) was known before it was sent")
            }
        } catch {
            findings.add("the receipt of document \(number) proves nothing: \(error)")
        }
    }

    private func pick(except last: Int?) -> Int {
        state.withLock { state in
            let now = ContinuousClock.now
            let others = (0..<nodes).filter { $0 != last || nodes == 1 }
            let good = others.filter { state.suspects[$0] < now }
            // Now and then somebody tries a suspect: it may be well again.
            let isBold = good.isEmpty || Int.random(in: 0..<10, using: &state.random) == 0
            return state.random.pick(isBold ? others : good)
        }
    }
}
