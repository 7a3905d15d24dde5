/// A checkpoint with its signatures, as `/checkpoint` serves it and receipts carry it.
///
/// Reading one says nothing about its truth: a `Policy` does.
public struct CheckpointNote: Hashable, Sendable {
    public let checkpoint: Checkpoint
    /// The signed text and every line below it, verbatim.
    public let note: SignedNote

    /// Signs `checkpoint` with the ledger key and puts the votes below it.
    ///
    /// - Parameter cosignatures: the lines of at least a quorum; fewer must never leave a node.
    /// - Throws: `ProofError.malformedNote` for more lines than a note may have.
    public init(
        signing checkpoint: Checkpoint, with ledgerKey: NoteSigningKey, cosignatures: [NoteSignature]
    ) throws(ProofError) {
        self.checkpoint = checkpoint
        let text = checkpoint.text
        note = try SignedNote(text: text, signatures: [ledgerKey.sign(text)] + cosignatures)
    }

    public init(_ note: SignedNote) throws(ProofError) {
        checkpoint = try Checkpoint(parsing: note.text)
        self.note = note
    }

    /// Reads a note whose text is a checkpoint.
    public init(parsing bytes: [UInt8]) throws(ProofError) { try self.init(SignedNote(parsing: bytes)) }

    /// The whole note.
    public var bytes: [UInt8] { note.bytes }
}
