public import Ledger

/// What readers may rely on: the newest final block, and the rules after it.
public struct Published: Sendable {
    public let header: BlockHeader
    /// `nil` only while nothing but the genesis block is final.
    public let certificate: CommitCertificate?
    public let state: LedgerState

    public init(header: BlockHeader, certificate: CommitCertificate?, state: LedgerState) {
        self.header = header
        self.certificate = certificate
        self.state = state
    }

    /// How many entries are final.
    public var size: UInt64 { header.treeSize }
}
