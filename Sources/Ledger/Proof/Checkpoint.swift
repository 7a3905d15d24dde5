/// The state of the ledger after a block, as it is signed: a tree and the block that made it.
///
/// Shape: five lines, each ending in LF. The last two are C2SP's extension lines.
///
///     example.com/kpi                                  origin
///     70000                                            tree size
///     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=     root
///     block 5312 <base64 header hash>                  ties the tree to the hash chain
///     view 7                                           votes of different views never mix
///
/// - Source: C2SP tlog-checkpoint; docs/formats.md, Chain and checkpoint.
public struct Checkpoint: Hashable, Sendable {
    public let origin: KeyName
    /// Leaves of the tree.
    public let size: UInt64
    public let root: Digest
    public let height: BlockHeight
    public let headerHash: Digest
    public let view: View

    public init(
        origin: KeyName, size: UInt64, root: Digest, height: BlockHeight, headerHash: Digest, view: View
    ) {
        self.origin = origin
        self.size = size
        self.root = root
        self.height = height
        self.headerHash = headerHash
        self.view = view
    }

    /// The checkpoint after the block under `header`.
    public init(origin: KeyName, header: BlockHeader) {
        self.init(
            origin: origin, size: header.treeSize, root: header.treeRoot, height: header.height,
            headerHash: header.hash, view: header.view)
    }

    /// What is signed.
    public var text: [UInt8] {
        let lines = [
            origin.description, String(size), Base64.encode(root.bytes),
            "block \(height) \(Base64.encode(headerHash.bytes))", "view \(view)",
        ]
        return lines.flatMap { Array($0.utf8) + [lineFeed] }
    }

    /// Reads a text; only what `text` would write is accepted.
    public init(parsing text: [UInt8]) throws(ProofError) {
        guard let string = String(validating: text, as: UTF8.self), text.last == lineFeed else {
            throw ProofError(.malformedCheckpoint, "a checkpoint is not UTF-8 lines")
        }
        let lines = string.utf8.dropLast().split(separator: lineFeed, omittingEmptySubsequences: false)
            .map { Substring($0) }
        guard lines.count == 5 else {
            throw ProofError(.malformedCheckpoint, "a checkpoint has not five lines")
        }
        guard let origin = try? KeyName(lines[0]) else {
            throw ProofError(.malformedCheckpoint, "the origin is not a valid name")
        }
        guard let size = decimal(lines[1], max: Limits.treeLeaves) else {
            throw ProofError(.malformedCheckpoint, "the tree size is not a decimal number")
        }
        guard let root = digest(base64: lines[2]) else {
            throw ProofError(.malformedCheckpoint, "the root is not base64 of 32 bytes")
        }
        let block = lines[3].utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            .map { Substring($0) }
        guard block.count == 3, block[0] == "block",
            let height = decimal(block[1], max: Limits.sequenceNumber),
            let headerHash = digest(base64: block[2])
        else { throw ProofError(.malformedCheckpoint, "the block line is not block, height and header hash") }
        let view = lines[4].utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            .map { Substring($0) }
        guard view.count == 2, view[0] == "view", let number = decimal(view[1], max: Limits.sequenceNumber)
        else {
            throw ProofError(.malformedCheckpoint, "the view line is not view and number")
        }
        self.init(
            origin: origin, size: size, root: root, height: BlockHeight(height), headerHash: headerHash,
            view: View(number))
    }
}

/// The digest that is written as base64; `nil` for anything else.
func digest(base64 text: some StringProtocol) -> Digest? {
    guard text.utf8.count == 44 else { return nil }
    return Base64.decode(text).flatMap { Digest($0) }
}
