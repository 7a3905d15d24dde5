/// The ways in which we break the protocol on purpose, to see that the simulator notices.
///
/// Compiled into debug builds alone: in a release build `isActive` is `false`, and the optimiser removes every trace.
/// docs/protocol.md, "Mutants", says what each does; `Tests/ReplicationTests/MutantTests.swift` which are caught.
package enum Defect: String, CaseIterable, Sendable {
    // Safety.
    case voteQuorumTooSmall, viewChangeQuorumTooSmall
    case lowestBase, baseOrderedByHeight, baseNotChecked
    case twoVotesPerHeight, votesOffTheChain
    case preparedForgottenAtRestart
    case secondNewViewAccepted
    case commitAfterLeavingView
    case voteBeforeWrite
    case restartedPrimaryProposes
    case forgottenVotesRepeated
    case tornBaseVotedPast
    case inheritedBlocksSignedAgain
    // Liveness.
    case acceptedBodiesDropped
    case leavesViewAlone
    case timerForOwnEntriesOnly
    case windowFromCommittedAlone
    case timeoutNeverFalls
    case fetchNeverGivenUp
    case lateAnswersDropped
    case silentPrimaryTolerated

    /// The defect of this task: one simulated world runs in one task, beside sound ones in others.
    @TaskLocal package static var active: Defect?

    @inline(__always)
    static func isActive(_ defect: Defect) -> Bool {
        #if DEBUG
            active == defect
        #else
            false
        #endif
    }
}
