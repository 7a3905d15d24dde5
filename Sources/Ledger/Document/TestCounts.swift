/// Results and time of a series, by either way of counting.
struct TestCounts: Sendable {
    var passed: Int128 = 0
    var failed: Int128 = 0
    var error: Int128 = 0
    var skipped: Int128 = 0
    var nanos: Int128 = 0
    var hasDuration = false

    subscript(_ result: TestResult) -> Int128 {
        switch result {
        case .passed: passed
        case .failed: failed
        case .error: error
        case .skipped: skipped
        }
    }

    mutating func add(_ result: TestResult) {
        switch result {
        case .passed: passed.addClamped(1)
        case .failed: failed.addClamped(1)
        case .error: error.addClamped(1)
        case .skipped: skipped.addClamped(1)
        }
    }

    mutating func add(_ other: TestCounts) {
        passed.addClamped(other.passed)
        failed.addClamped(other.failed)
        error.addClamped(other.error)
        skipped.addClamped(other.skipped)
        nanos.addClamped(other.nanos)
        hasDuration = hasDuration || other.hasDuration
    }

    mutating func add(nanos more: Int128) {
        nanos.addClamped(more)
        hasDuration = true
    }
}

/// How a test case ended.
enum TestResult: CaseIterable, Sendable {
    case passed
    case failed
    case error
    case skipped

    /// What a child of `<testcase>` says. Surefire's `flakyFailure` and `rerunFailure` say nothing: where the case
    /// failed in the end, `failure` or `error` stands beside them.
    init?(element: String) {
        switch element {
        case "failure": self = .failed
        case "error": self = .error
        case "skipped", "ignored": self = .skipped
        default: return nil
        }
    }

    var label: String {
        switch self {
        case .passed: "passed"
        case .failed: "failed"
        case .error: "error"
        case .skipped: "skipped"
        }
    }

    /// A case with several results counts once.
    func worse(_ other: TestResult) -> TestResult {
        func weight(_ result: TestResult) -> Int {
            switch result {
            case .passed: 0
            case .skipped: 1
            case .failed: 2
            case .error: 3
            }
        }
        return weight(other) > weight(self) ? other : self
    }
}
