public import Ledger

/// What of a replica's state its signatures rest on, beside the blocks themselves.
public struct SafetyState: Hashable, Sendable {
    public enum Phase: Hashable, Sendable {
        /// It takes part in its view.
        case normal
        /// It has left the view before, and waits for the NEW-VIEW of this one. The claim never changes.
        case changing(Departure)
    }

    /// What a VIEW-CHANGE says.
    public struct Departure: Hashable, Sendable {
        public let claim: Claim
        public let prepared: PreparedCertificate?
        public let committed: CommitCertificate?
    }

    public internal(set) var view: View
    public internal(set) var phase: Phase
    /// Where the view began; `nil` is the start of the epoch.
    public internal(set) var base: BlockMark?
    /// Whether it has left its chain of this view (a certificate made it follow another): it then prepares nothing
    /// more in this view, since its PREPAREs of one view lie on one chain.
    public internal(set) var hasLeftItsChain: Bool
    /// The highest prepared certificate that it has seen, by (view, height). Never falls.
    public internal(set) var prepared: PreparedCertificate?
    /// What it entered the view with, for those who are late; `nil` in view 0.
    public internal(set) var newView: NewView?

    /// A node that has signed nothing yet.
    public init() {
        view = View(0)
        phase = .normal
        base = nil
        hasLeftItsChain = false
        prepared = nil
        newView = nil
    }

    var isNormal: Bool { phase == .normal }
}
