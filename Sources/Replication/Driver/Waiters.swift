import Ledger

/// Who waits for which entry. A document that is sent twice while it is on its way has two who wait for one entry.
struct Waiters: Sendable {
    private struct Entry: Sendable {
        let contentDigest: Digest
        var answers: [Mailbox.Answer]
    }

    /// What makes two requests one: the document, or the very record.
    private enum Key: Hashable, Sendable {
        case document(DocumentIdentity)
        case record(Digest)
    }

    private var entries: [Key: Entry] = [:]
    /// Statement digest → key, for refusals, which name the entry.
    private var keys: [Digest: Key] = [:]

    enum Joined {
        /// Nobody waits for this yet: order it.
        case first
        /// It is on its way already.
        case waits
        case refused(Rejection)
    }

    mutating func join(_ request: Mailbox.Request) -> Joined {
        let key = Self.key(request.entry)
        let leaf = request.entry.entry.statement.digest
        guard var known = entries[key] else {
            entries[key] = Entry(
                contentDigest: request.entry.contentDigest, answers: [request.answer])
            keys[leaf] = key
            return .first
        }
        guard known.contentDigest == request.entry.contentDigest else {
            return .refused(Rejection(.conflict, "another content with this id is on its way: use a new id"))
        }
        known.answers.append(request.answer)
        entries[key] = known
        return .waits
    }

    /// Answers everyone who waits for an entry that is final. Who sent it first learns that it is new.
    mutating func settle(_ entry: CheckedEntry, at index: EntryIndex) {
        let statement = entry.entry.statement
        let leaf = statement.digest
        for (position, waiter) in remove(Self.key(entry), leaf).enumerated() {
            waiter(
                .success(Acknowledgement(index: index, leaf: statement.bytes, isNew: position == 0)))
        }
    }

    mutating func resolve(_ entry: CheckedEntry, _ result: Result<Acknowledgement, SubmissionFailure>) {
        for waiter in remove(Self.key(entry), entry.entry.statement.digest) { waiter(result) }
    }

    mutating func resolve(_ refusal: Refusal, storage: StoreError?) {
        guard let key = keys[refusal.entry] else { return }
        let failure: SubmissionFailure
        switch refusal.reason {
        case .busy: failure = .busy
        case .rule(let rejection): failure = .rejected(rejection)
        case .notSaved:
            failure = .storage(storage ?? .system(operation: "save a block", code: 0, reason: "not saved"))
        }
        for waiter in remove(key, refusal.entry) { waiter(.failure(failure)) }
    }

    private mutating func remove(
        _ key: Key, _ leaf: Digest
    ) -> [Mailbox.Answer] {
        keys[leaf] = nil
        return entries.removeValue(forKey: key)?.answers ?? []
    }

    private static func key(_ entry: CheckedEntry) -> Key {
        entry.identity.map(Key.document) ?? .record(entry.entry.statement.digest)
    }
}
