import Replication

/// The protocol's names of what nodes say to each other.
enum MessageKind: String, CaseIterable, Hashable, Sendable {
    case proposal = "PROPOSAL"
    case prepare = "PREPARE"
    case commit = "COMMIT"
    case complaint = "COMPLAIN"
    case viewChange = "VIEW-CHANGE"
    case newView = "NEW-VIEW"
    case prepared = "PREPARED"
    case committed = "COMMITTED"
    case status = "STATUS"
    case entries = "ENTRIES"
    case fetch = "FETCH"
    case fetched = "FETCHED"

    init(_ message: Message) {
        self =
            switch message {
            case .proposal: .proposal
            case .prepare: .prepare
            case .commit: .commit
            case .complaint: .complaint
            case .viewChange: .viewChange
            case .newView: .newView
            case .prepared: .prepared
            case .committed: .committed
            case .status: .status
            case .entries: .entries
            case .fetch: .fetch
            case .fetched: .fetched
            }
    }
}
