public import Ledger

extension Equivocation {
    /// The proof as the ledger records it, checkable by whoever has the vote keys.
    public func contradiction(
        in context: SigningContext, authority: some VoteAuthority
    ) -> Contradiction {
        func pair<Body>(_ first: Signed<Body>, _ second: Signed<Body>) -> Contradiction {
            Contradiction(
                .init(bytes: first.body.signedBytes(context), signature: first.signature),
                .init(bytes: second.body.signedBytes(context), signature: second.signature))
        }
        switch self {
        case .prepares(let first, let second): return pair(first, second)
        case .viewChanges(let first, let second): return pair(first, second)
        case .newViews(let first, let second): return pair(first, second)
        case .commits(let first, let second):
            return Contradiction(
                .init(bytes: authority.commitMessage(for: first.header), signature: first.signature),
                .init(bytes: authority.commitMessage(for: second.header), signature: second.signature))
        }
    }
}
