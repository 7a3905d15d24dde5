import Ledger

/// Who waits for which entry. A document that is sent twice while it is on its way has two who wait for one entry.
struct Waiters: Sendable {
    private struct Waiting: Sendable {
        let number: UInt64
        /// Of the statement that this one sent.
        let leaf: Digest
        let answer: Mailbox.Answer
    }

    private struct Entry: Sendable {
        let contentDigest: Digest
        var waiting: [Waiting]
    }

    /// What makes two requests one: the document, or the very record.
    private enum Key: Hashable, Sendable {
        case document(DocumentIdentity)
        case record(Digest)
    }

    private var entries: [Key: Entry] = [:]
    /// Statement digest → key, for refusals, which name the entry.
    private var keys: [Digest: Key] = [:]
    /// In the order in which they came, so that the first deadline is in front. Those who were answered stay until then.
    private var deadlines: [(deadline: Duration, key: Key, number: UInt64)] = []
    private var nextNumber: UInt64 = 0

    enum Joined {
        /// Nobody waits for this yet: order it.
        case first
        /// It is on its way already.
        case waits
        case refused(Rejection)
    }

    var isEmpty: Bool { entries.isEmpty }
    var nextDeadline: Duration? { deadlines.first?.deadline }

    mutating func join(_ request: Mailbox.Request) -> Joined {
        let key = Self.key(request.entry)
        let leaf = request.entry.entry.statement.digest
        let known = entries[key]
        if let known, known.contentDigest != request.entry.contentDigest {
            return .refused(Rejection(.conflict, "another content with this id is on its way: use a new id"))
        }
        let waiting = Waiting(number: nextNumber, leaf: leaf, answer: request.answer)
        entries[key, default: Entry(contentDigest: request.entry.contentDigest, waiting: [])].waiting
            .append(waiting)
        deadlines.append((request.deadline, key, nextNumber))
        nextNumber += 1
        if known == nil { keys[leaf] = key }
        return known == nil ? .first : .waits
    }

    /// Answers everyone who waits for an entry that is final. Who sent what stands in the log first learns that it is
    /// new; it may have come by way of another node.
    mutating func settle(_ entry: CheckedEntry, at index: EntryIndex) {
        let statement = entry.entry.statement
        let leaf = statement.digest
        guard let settled = remove(Self.key(entry)) else { return }
        var isNew = true
        for waiting in settled.waiting {
            if case .erased = entry.content {
                waiting.answer(
                    .failure(.rejected(Rejection(.erased, "entry \(index) had this id and was erased"))))
            } else if settled.contentDigest != entry.contentDigest {
                waiting.answer(
                    .failure(
                        .rejected(
                            Rejection(
                                .conflict, "entry \(index) has this id with another content: use a new id"))))
            } else {
                waiting.answer(
                    .success(
                        Acknowledgement(
                            index: index, leaf: statement.bytes, isNew: isNew && waiting.leaf == leaf)))
                isNew = isNew && waiting.leaf != leaf
            }
        }
    }

    mutating func resolve(_ entry: CheckedEntry, _ result: Result<Acknowledgement, SubmissionFailure>) {
        for waiting in remove(Self.key(entry))?.waiting ?? [] { waiting.answer(result) }
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
        for waiting in remove(key)?.waiting ?? [] { waiting.answer(.failure(failure)) }
    }

    /// Tells those whose time is over; the entry may still become final.
    mutating func expire(at now: Duration) {
        let due = Array(deadlines.prefix { $0.deadline <= now })
        guard !due.isEmpty else { return }
        deadlines.removeFirst(due.count)
        for (_, key, number) in due {
            guard let position = entries[key]?.waiting.firstIndex(where: { $0.number == number }) else {
                continue
            }
            if entries[key]?.waiting.count == 1 {
                for waiting in remove(key)?.waiting ?? [] { waiting.answer(.failure(.timeout)) }
            } else {
                entries[key]?.waiting.remove(at: position).answer(.failure(.timeout))
            }
        }
    }

    /// Tells everyone that nothing more will be heard from this node.
    mutating func abandon() { expire(at: .seconds(Int64.max >> 1)) }

    private mutating func remove(_ key: Key) -> Entry? {
        guard let entry = entries.removeValue(forKey: key) else { return nil }
        for waiting in entry.waiting { keys[waiting.leaf] = nil }
        if entries.isEmpty { deadlines.removeAll() }
        return entry
    }

    private static func key(_ entry: CheckedEntry) -> Key {
        entry.identity.map(Key.document) ?? .record(entry.entry.statement.digest)
    }
}
