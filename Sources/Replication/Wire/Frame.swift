public import Ledger

/// What travels on a connection between two nodes.
///
/// Shape: `length u32 ‖ kind u8 ‖ body`; the length counts kind and body.
public struct Frame: Hashable, Sendable {
    public let kind: Kind
    public let body: [UInt8]

    /// Stated on the wire: a number never changes its meaning.
    public enum Kind: UInt8, CaseIterable, Hashable, Sendable {
        case hello = 0
        case proposal, prepare, commit, complaint, viewChange, newView, prepared, committed, status, entries
        case fetch, fetched
        case awaited

        /// The largest body, in bytes.
        public var limitBytes: Int {
            switch self {
            case .proposal: Limits.proposalFrameBytes
            case .entries: Limits.entriesFrameBytes
            case .fetched: Limits.fetchedFrameBytes
            case .hello, .prepare, .commit, .complaint, .viewChange, .newView, .prepared, .committed,
                .status, .fetch, .awaited:
                Limits.smallFrameBytes
            }
        }
    }

    /// Bytes before the body.
    public static let headBytes = 5

    public init(kind: Kind, body: [UInt8]) {
        self.kind = kind
        self.body = body
    }

    /// What stands before the body.
    var head: [UInt8] {
        var writer = ByteWriter(capacity: Self.headBytes)
        writer.write(UInt32(body.count + 1))
        writer.write(kind.rawValue)
        return writer.bytes
    }

    /// What is known before the body has come. Nothing is allocated for a length that is over the limit.
    public struct Head: Hashable, Sendable {
        public let kind: Kind
        public let bodyBytes: Int

        public init(length: UInt32, kind: UInt8) throws(DecodingFailure) {
            guard let kind = Kind(rawValue: kind) else {
                throw DecodingFailure("there is no frame of kind \(kind)", at: 4)
            }
            guard length >= 1 else { throw DecodingFailure("a frame without its kind", at: 0) }
            guard Int(length) - 1 <= kind.limitBytes else {
                throw DecodingFailure(
                    "a frame of \(length) bytes is over the limit of \(kind.limitBytes)", at: 0)
            }
            self.kind = kind
            bodyBytes = Int(length) - 1
        }
    }
}

/// What each end says first: `version u8 ‖ ledger id 32 ‖ node u16`.
public struct Hello: Hashable, Sendable {
    public static let version: UInt8 = 2

    public let ledgerID: Digest
    public let node: ReplicaID

    public init(ledgerID: Digest, node: ReplicaID) {
        self.ledgerID = ledgerID
        self.node = node
    }

    public var frame: Frame { Frame(kind: .hello, body: wireBytes) }

    public init(_ frame: Frame) throws(DecodingFailure) {
        guard frame.kind == .hello else { throw DecodingFailure("the first frame is no greeting", at: 4) }
        self = try Hello(wireBytes: frame.body)
    }
}

extension Hello: WireValue {
    func write(to writer: inout ByteWriter) {
        writer.write(Self.version)
        writer.write(ledgerID)
        writer.write(node.value)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        let version = try reader.read(UInt8.self, "version")
        guard version == Self.version else {
            throw DecodingFailure("version \(version) of the protocol is not spoken here", at: 0)
        }
        self.init(ledgerID: try reader.readDigest("ledger id"), node: try reader.readMember())
    }
}

/// Clients wait at the sender for what is in blocks up to this height: it wants COMMITs for them at once. A hint of the
/// connection, and no message to a replica: whoever has not heard it sends a little later.
///
/// Shape: `height u64`.
public struct Awaited: Hashable, Sendable {
    public let height: BlockHeight

    public init(height: BlockHeight) { self.height = height }

    public var frame: Frame { Frame(kind: .awaited, body: height.value.valueBytes) }

    public init(_ frame: Frame) throws(DecodingFailure) {
        guard frame.kind == .awaited else { throw DecodingFailure("this frame names no height", at: 0) }
        height = try ByteReader.decode(frame.body) { reader throws(DecodingFailure) in
            BlockHeight(try reader.read(UInt64.self, "awaited height"))
        }
    }
}
