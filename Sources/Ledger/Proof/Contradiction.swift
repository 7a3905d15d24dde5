/// Two statements of one member for one place in the protocol, of which an honest node makes only one: whoever reads
/// them knows that it lied.
///
/// It proves itself: nothing but the member's key and the ledger's names is needed to check it, no log and no view of
/// what happened. (That an honest node prepares one block and commits another is possible under a lying primary, and
/// cosignatures of different views are normal: neither is a contradiction.)
/// - Source: docs/protocol.md, "Catching up, and what else keeps a node honest"; docs/formats.md 7.6.
public struct Contradiction: Hashable, Sendable {
    public struct Statement: Hashable, Sendable {
        /// Exactly what was signed.
        public let bytes: [UInt8]
        /// Ed25519, 64 bytes.
        public let signature: [UInt8]

        public init(bytes: [UInt8], signature: [UInt8]) {
            self.bytes = bytes
            self.signature = signature
        }
    }

    public let first: Statement
    public let second: Statement

    public init(_ first: Statement, _ second: Statement) {
        self.first = first
        self.second = second
    }

    /// Where in the protocol a statement belongs: an honest node makes one for each.
    public enum Place: Hashable, Sendable {
        case prepare(Epoch, View, BlockHeight)
        case commit(View, BlockHeight)
        case viewChange(Epoch, View)
        case newView(Epoch, View)
    }

    /// What both statements are about, once it is certain that `key`'s owner made both and that they differ.
    ///
    /// - Throws: `malformedProof` where they are no statements of nodes of this ledger, are equal, or are about
    ///   different places; `badSignature`.
    @discardableResult
    public func verify(
        by key: VerificationKey, ledgerID: Digest, origin: KeyName
    ) throws(ProofError) -> Place {
        let place = try place(ledgerID: ledgerID, origin: origin)
        for statement in [first, second] {
            guard key.isValid(statement.signature, over: statement.bytes) else {
                throw ProofError(.badSignature, "a statement was not signed by this member")
            }
        }
        return place
    }

    /// What both statements are about, whoever made them.
    ///
    /// - Throws: `malformedProof`, as `verify`.
    public func place(ledgerID: Digest, origin: KeyName) throws(ProofError) -> Place {
        let place = try Self.place(of: first.bytes, ledgerID: ledgerID, origin: origin)
        guard try Self.place(of: second.bytes, ledgerID: ledgerID, origin: origin) == place else {
            throw ProofError(.malformedProof, "the two statements are about different places")
        }
        guard first.bytes != second.bytes else {
            throw ProofError(.malformedProof, "the two statements are one and the same")
        }
        return place
    }

    private static func place(
        of bytes: [UInt8], ledgerID: Digest, origin: KeyName
    ) throws(ProofError) -> Place {
        if bytes.first == 0 { return try placeOfMessage(bytes, ledgerID) }
        return try placeOfVote(bytes, origin)
    }

    /// `00 ‖ label ‖ 00 ‖ ledger id ‖ epoch ‖ view ‖ …`.
    private static func placeOfMessage(_ bytes: [UInt8], _ ledgerID: Digest) throws(ProofError) -> Place {
        guard let end = bytes.dropFirst().firstIndex(of: 0),
            let label = String(validating: bytes[1..<end], as: UTF8.self)
        else { throw ProofError(.malformedProof, "a statement has no label") }
        var reader = ByteReader(Array(bytes[(end + 1)...]))
        do throws(DecodingFailure) {
            guard try reader.readDigest("ledger id") == ledgerID else {
                throw DecodingFailure("the statement is of another ledger", at: end)
            }
            let epoch = Epoch(try reader.read(UInt32.self, "epoch"))
            let view = View(try reader.read(UInt64.self, "view"))
            switch label {
            case "prepare":
                return .prepare(epoch, view, BlockHeight(try reader.read(UInt64.self, "height")))
            case "view-change": return .viewChange(epoch, view)
            case "new-view": return .newView(epoch, view)
            default: throw DecodingFailure("a statement of no known kind", at: 1)
            }
        } catch { throw ProofError(.malformedProof, error.description) }
    }

    /// A COMMIT is a cosignature: two header lines, and a checkpoint.
    private static func placeOfVote(_ bytes: [UInt8], _ origin: KeyName) throws(ProofError) -> Place {
        let lines = bytes.split(separator: lineFeed, maxSplits: 2, omittingEmptySubsequences: false)
        guard lines.count == 3, Array(lines[0]) == Array("cosignature/v1".utf8) else {
            throw ProofError(.malformedProof, "a statement is neither a message nor a cosignature")
        }
        let checkpoint = try Checkpoint(parsing: Array(lines[2]))
        guard checkpoint.origin == origin else {
            throw ProofError(.malformedProof, "the cosignature is of another ledger")
        }
        return .commit(checkpoint.view, checkpoint.height)
    }
}

extension Contradiction.Place: CustomStringConvertible {
    /// One line for people: what was said twice, and where.
    public var description: String {
        switch self {
        case .prepare(_, let view, let height): "two PREPAREs in view \(view), block \(height)"
        case .commit(let view, let height): "two COMMITs in view \(view), block \(height)"
        case .viewChange(_, let view): "two VIEW-CHANGEs for view \(view)"
        case .newView(_, let view): "two NEW-VIEWs of view \(view)"
        }
    }
}
