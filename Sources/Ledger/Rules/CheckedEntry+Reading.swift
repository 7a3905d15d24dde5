extension CheckedEntry {
    /// Reads back an entry that this node accepted before. Signatures are not checked again; the audit does that.
    ///
    /// - Returns: `nil` where the payload was erased: the entry then has no content left.
    /// - Throws: `StoreError.damaged`.
    public init?(reading entry: LogEntry) throws(StoreError) {
        func damaged(_ reason: String) -> StoreError {
            .damaged(place: "entry \(entry.index)", reason: reason)
        }
        let statement: Statement
        do { statement = try Statement(canonical: entry.statement) } catch { throw damaged(error.reason) }
        switch entry.payload {
        case .erased: return nil
        case .damaged(let reason): throw damaged(reason)
        case .none:
            guard let content = statement.content else { throw damaged("the record has no content") }
            do {
                self.init(
                    entry: Entry(statement: statement, sealed: nil),
                    content: .governance(try GovernanceRecord.parse(content)),
                    contentDigest: .sha256(content),
                    sealing: nil)
            } catch { throw damaged(error.reason) }
        case .held(let sealed):
            let payload: SealedPayload
            let content: [UInt8]
            do throws(EnvelopeError) {
                payload = try SealedPayload(sealed.payload)
                content = try payload.open(contentKey: sealed.contentKey).content
            } catch { throw damaged(error.reason) }
            do {
                self.init(
                    entry: Entry(statement: statement, sealed: sealed),
                    content: .document(try DocumentParser().parse(content)), contentDigest: .sha256(content),
                    sealing: Sealing(payload.recipients))
            } catch { throw damaged(error.reason) }
        }
    }
}

extension LedgerState {
    /// The state after the first `size` entries of a log, from the entries that change the rules.
    public static func restored(
        genesis: Genesis, ledgerID: Digest, from log: LogStore, size: UInt64
    ) throws(StoreError) -> LedgerState {
        var state: LedgerState
        do { state = try LedgerState(genesis: genesis, ledgerID: ledgerID) } catch {
            throw .damaged(place: "genesis", reason: error.reason)
        }
        for index in try log.indexesThatChangeRules(below: size) {
            let entry = try log.entry(index)
            // An erased session is one that no longer acts.
            guard let checked = try CheckedEntry(reading: entry) else { continue }
            state.apply(checked, at: index, time: entry.blockTime)
        }
        return state
    }
}
