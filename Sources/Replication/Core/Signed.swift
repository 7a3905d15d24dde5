public import Ledger

/// What a node can put its name to. The bytes begin with 00, which no note contains: a signature of one kind never
/// passes for another's.
///
/// - Source: docs/formats.md 4.5 and 7.6.
public protocol Signable: Hashable, Sendable {
    func signedBytes(_ context: SigningContext) -> [UInt8]
}

/// What every signature of a ledger's nodes is bound to.
public struct SigningContext: Hashable, Sendable {
    public let ledgerID: Digest
    public let epoch: Epoch

    public init(ledgerID: Digest, epoch: Epoch) {
        self.ledgerID = ledgerID
        self.epoch = epoch
    }

    /// `00 ‖ label ‖ 00 ‖ ledger id ‖ epoch`: the start of everything signed here.
    func start(_ label: String) -> ByteWriter {
        var writer = ByteWriter(capacity: 256)
        writer.write(UInt8(0))
        writer.write(Array(label.utf8))
        writer.write(UInt8(0))
        writer.write(ledgerID)
        writer.write(epoch.value)
        return writer
    }
}

/// A statement with its signer and signature. Whether the signature is good, `Verified` says.
public struct Signed<Body: Signable>: Hashable, Sendable {
    public let body: Body
    public let signer: ReplicaID
    /// Ed25519, 64 bytes.
    public let signature: [UInt8]

    public init(_ body: Body, signer: ReplicaID, signature: [UInt8]) {
        self.body = body
        self.signer = signer
        self.signature = signature
    }
}
