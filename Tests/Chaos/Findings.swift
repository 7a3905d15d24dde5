import Synchronization

/// What does not hold. The run goes on, and fails at its end.
final class Findings: Sendable {
    /// Enough to see what is wrong; one fault can show itself in every entry.
    private static let limit = 200

    private let found = Mutex<(lines: [String], count: Int)>(([], 0))
    private let say: @Sendable (String) -> Void

    init(_ say: @escaping @Sendable (String) -> Void) { self.say = say }

    func add(_ line: String) {
        let isNew = found.withLock { found in
            found.count += 1
            guard found.lines.count < Self.limit else { return false }
            found.lines.append(line)
            return true
        }
        if isNew { say("FOUND: \(line)") }
    }

    var lines: [String] {
        found.withLock { found in
            let rest = found.count - found.lines.count
            return found.lines + (rest > 0 ? ["and \(rest) more"] : [])
        }
    }
}
