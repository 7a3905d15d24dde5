/// Why a command ends without having done its work: the exit status, what failed, and what to do about it.
struct CommandFailure: Error, Hashable {
    /// - Source: docs/interfaces.md, the command line.
    enum Status: Int32 {
        /// Verification failed, or nothing was found where something was required.
        case answerIsNo = 1
        case wrongUsage = 2
        /// The ledger, or the disk it lies on, could not be reached or refused.
        case unreachable = 3
    }

    let status: Status
    /// One line.
    let what: String
    /// One line, in the imperative.
    let remedy: String

    init(_ status: Status, _ what: String, remedy: String) {
        self.status = status
        self.what = what
        self.remedy = remedy
    }
}

extension CommandFailure: CustomStringConvertible {
    var description: String { "error: \(what)\n\(remedy)" }
}
