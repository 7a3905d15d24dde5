extension LogStore {
    /// What the header of a block commits to for each of its entries, in order (docs/formats.md, 4.2).
    ///
    /// - Throws: `StoreError.damaged` where a key or payload is not what it was.
    public func keyCommitments(_ range: Range<EntryIndex>) throws(StoreError) -> [Digest] {
        var commitments: [Digest] = []
        for entry in try entries(range) {
            switch entry.payload {
            case .none: commitments.append(.zero)
            case .erased:
                throw .damaged(place: "entry \(entry.index)", reason: "its commitment went with its keys")
            case .damaged(let reason): throw .damaged(place: "entry \(entry.index)", reason: reason)
            case .held(let sealed):
                commitments.append(
                    KeyCommitment.of(contentKey: sealed.contentKey, payloadDigest: .sha256(sealed.payload)))
            }
        }
        return commitments
    }
}
