public import Ledger

/// How a node keeps what its signatures rest on: `LogStore.Change.safety`.
///
/// `version u8 ‖ view u64 ‖ departure? ‖ base mark? ‖ has left its chain u8 ‖ prepared certificate? ‖ new view?`
extension SafetyState: WireValue {
    private static let version: UInt8 = 1

    public var encoded: [UInt8] { wireBytes }
    public init(decoding bytes: [UInt8]) throws(DecodingFailure) { try self.init(wireBytes: bytes) }

    func write(to writer: inout ByteWriter) {
        writer.write(Self.version)
        writer.write(view.value)
        switch phase {
        case .normal: writer.write(UInt8(0))
        case .changing(let departure):
            writer.write(UInt8(1))
            writer.write(departure)
        }
        writer.write(base)
        writer.write(UInt8(hasLeftItsChain ? 1 : 0))
        writer.write(prepared)
        writer.write(newView.map(KeptNewView.init))
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        self.init()
        guard try reader.read(UInt8.self, "version") == Self.version else {
            throw DecodingFailure("the safety state is of another version", at: 0)
        }
        view = try reader.readView()
        phase = try reader.readOptional(Departure.self, "phase").map(Phase.changing) ?? .normal
        base = try reader.readOptional(BlockMark.self, "base")
        hasLeftItsChain = try reader.readFlag("whether it has left its chain")
        prepared = try reader.readOptional(PreparedCertificate.self, "prepared certificate")
        newView = try reader.readOptional(KeptNewView.self, "new view")?.newView
    }
}

/// `claim ‖ prepared certificate? ‖ commit certificate?`.
extension SafetyState.Departure: WireValue {
    func write(to writer: inout ByteWriter) {
        writer.write(claim)
        writer.write(prepared)
        writer.write(committed)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        self.init(
            claim: try Claim(from: &reader),
            prepared: try reader.readOptional(PreparedCertificate.self, "prepared certificate"),
            committed: try reader.readOptional(CommitCertificate.self, "commit certificate"))
    }
}

/// `installation ‖ signer u16 ‖ signature u32-sized ‖ base certificate?`: a node keeps its own NEW-VIEW unsigned, and
/// signs it whenever it leaves.
private struct KeptNewView: WireValue {
    let newView: NewView

    init(_ newView: NewView) { self.newView = newView }

    func write(to writer: inout ByteWriter) {
        writer.write(newView.installation.body)
        writer.write(newView.installation.signer.value)
        writer.writeSized(newView.installation.signature)
        writer.write(newView.certificate)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        newView = NewView(
            installation: Signed(
                try Installation(from: &reader), signer: try reader.readMember(),
                signature: try reader.readSized("signature", limitBytes: SigningKey.signatureByteCount)),
            certificate: try reader.readOptional(BaseCertificate.self, "base certificate"))
    }
}
