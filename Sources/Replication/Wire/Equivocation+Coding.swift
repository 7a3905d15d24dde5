public import Ledger

/// `kind u8 ‖ first ‖ second`: a proof that anyone can check who has the configuration.
extension Equivocation: WireValue {
    public var encoded: [UInt8] { wireBytes }
    public init(decoding bytes: [UInt8]) throws(DecodingFailure) { try self.init(wireBytes: bytes) }

    func write(to writer: inout ByteWriter) {
        func write(_ kind: UInt8, _ first: some WireValue, _ second: some WireValue) {
            writer.write(kind)
            writer.write(first)
            writer.write(second)
        }
        switch self {
        case .prepares(let first, let second): write(0, first, second)
        case .commits(let first, let second): write(1, first, second)
        case .viewChanges(let first, let second): write(2, first, second)
        case .newViews(let first, let second): write(3, first, second)
        }
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        switch try reader.read(UInt8.self, "kind of evidence") {
        case 0:
            self = .prepares(try Signed<Prepare>(from: &reader), try Signed<Prepare>(from: &reader))
        case 1: self = .commits(try CommitVote(from: &reader), try CommitVote(from: &reader))
        case 2:
            self = .viewChanges(try Signed<Claim>(from: &reader), try Signed<Claim>(from: &reader))
        case 3:
            self = .newViews(
                try Signed<Installation>(from: &reader), try Signed<Installation>(from: &reader))
        default: throw DecodingFailure("there is no such evidence", at: 0)
        }
    }
}
