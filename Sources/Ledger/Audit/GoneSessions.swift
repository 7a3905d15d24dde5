/// Entries that may have been sessions and cannot be read any more: they were erased later than the entries sealed with
/// them.
struct GoneSessions: Sendable {
    private struct Gone: Sendable {
        let submitter: String
        let index: EntryIndex
        let time: Timestamp
    }

    private var sessions: [SessionKeyID: Gone] = [:]
    private var keyIDs: [UInt64: SessionKeyID] = [:]
    /// At this count those that are too old are let go.
    private var limit = Limits.sessions

    mutating func add(_ keyID: SessionKeyID, of submitter: String, at index: EntryIndex, time: Timestamp) {
        if sessions.count >= limit { forgetOld(at: time) }
        sessions[keyID] = Gone(submitter: submitter, index: index, time: time)
        keyIDs[index.value] = keyID
    }

    /// Its erasure was ordered: from here on nobody may seal with it.
    mutating func remove(at index: EntryIndex) {
        if let keyID = keyIDs.removeValue(forKey: index.value) { sessions[keyID] = nil }
    }

    /// Whether it may have been a session of `submitter` that was in force at `time`.
    func mayHold(_ keyID: SessionKeyID, of submitter: String, at time: Timestamp) -> Bool {
        guard let gone = sessions[keyID], gone.submitter == submitter else { return false }
        return time <= gone.time.advanced(byMilliseconds: Limits.sessionMilliseconds)
    }

    /// No session lives longer than a day.
    private mutating func forgetOld(at time: Timestamp) {
        sessions = sessions.filter {
            time <= $0.value.time.advanced(byMilliseconds: Limits.sessionMilliseconds)
        }
        let kept = sessions
        keyIDs = keyIDs.filter { kept[$0.value] != nil }
        limit = max(Limits.sessions, 2 * sessions.count)
    }
}
