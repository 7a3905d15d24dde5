/// A text with signature lines below it.
///
/// The text may be believed only once `signers(among:)` or a `Policy` has found whom it needs.
/// - Source: C2SP signed-note.
public struct SignedNote: Hashable, Sendable {
    /// UTF-8, ends in LF, no other control character.
    public let text: [UInt8]
    /// In the order of the lines; never empty.
    public let signatures: [NoteSignature]

    /// - Throws: `ProofError.malformedNote` for a text or a number of signatures that no note can have.
    public init(text: [UInt8], signatures: [NoteSignature]) throws(ProofError) {
        // Without its newline a text could run on into the first signature line and be read as another note.
        guard text.last == lineFeed else {
            throw ProofError(.malformedNote, "a text does not end in a newline")
        }
        try self.init(parsing: Self.format(text: text, signatures: signatures))
    }

    /// The whole note, as it is served.
    public var bytes: [UInt8] { Self.format(text: text, signatures: signatures) }

    private static func format(text: [UInt8], signatures: [NoteSignature]) -> [UInt8] {
        var bytes = text + [lineFeed]
        for signature in signatures { bytes += Array(signature.line.utf8) + [lineFeed] }
        return bytes
    }

    /// Reads a note; only what `bytes` would write is accepted.
    public init(parsing bytes: [UInt8]) throws(ProofError) {
        guard bytes.count <= Limits.noteBytes else {
            throw ProofError(.malformedNote, "a note is over the limit of \(Limits.noteBytes) bytes")
        }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw ProofError(.malformedNote, "a note is not UTF-8")
        }
        guard bytes.allSatisfy({ $0 >= 0x20 || $0 == lineFeed }) else {
            throw ProofError(.malformedNote, "a note holds a control character")
        }
        guard bytes.last == lineFeed else {
            throw ProofError(.malformedNote, "a note does not end in a newline")
        }
        // The text may hold empty lines: the last one divides.
        guard
            let blank = bytes.indices.dropFirst().last(where: {
                bytes[$0] == lineFeed && bytes[$0 - 1] == lineFeed
            })
        else { throw ProofError(.malformedNote, "a note has no blank line above its signatures") }

        text = Array(bytes[..<blank])
        let lines = bytes[(blank + 1)...].dropLast().split(
            separator: lineFeed, omittingEmptySubsequences: false)
        guard lines.count <= Limits.noteSignatures else {
            throw ProofError(.malformedNote, "a note has more than \(Limits.noteSignatures) signatures")
        }
        var signatures: [NoteSignature] = []
        for line in lines {
            signatures.append(try NoteSignature(parsing: String(decoding: line, as: UTF8.self)))
        }
        self.signatures = signatures
    }

    /// Those of `keys` who signed, each once, in the order of `keys`. Lines of other keys are ignored.
    ///
    /// - Throws: `ProofError.badSignature` if a line with name and id of one of `keys` is not its signature.
    public func signers(among keys: [NoteVerifierKey]) throws(ProofError) -> [NoteVerifierKey] {
        var signers: [NoteVerifierKey] = []
        for key in keys {
            var hasSigned = false
            for signature in signatures where key.made(signature) {
                guard key.isValid(signature, over: text) else {
                    throw ProofError(.badSignature, "the signature of \(key.name) is not valid")
                }
                hasSigned = true
            }
            if hasSigned { signers.append(key) }
        }
        return signers
    }
}

/// One signature line of a note: `— <name> <base64(u32 key id ‖ signature)>`.
public struct NoteSignature: Hashable, Sendable {
    public let name: KeyName
    public let keyID: UInt32
    /// What the kind of the key wants: never empty.
    public let bytes: [UInt8]

    public init(name: KeyName, keyID: UInt32, bytes: [UInt8]) {
        self.name = name
        self.keyID = keyID
        self.bytes = bytes
    }

    /// Without the LF at its end. The dash is U+2014.
    public var line: String {
        var writer = ByteWriter()
        writer.write(keyID)
        writer.write(bytes)
        return "\u{2014} \(name) \(Base64.encode(writer.bytes))"
    }

    init(parsing line: String) throws(ProofError) {
        let parts = line.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].elementsEqual("\u{2014}".utf8) else {
            throw ProofError(.malformedNote, "a signature line is not dash, name and signature")
        }
        guard let name = try? KeyName(Substring(parts[1])) else {
            throw ProofError(.malformedNote, "a signature line has no valid name")
        }
        guard let material = Base64.decode(Substring(parts[2])), material.count > 4 else {
            throw ProofError(
                .malformedNote, "the signature of \(name) is not base64 of an id and a signature")
        }
        self.name = name
        keyID = material.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        bytes = Array(material.dropFirst(4))
    }
}

let lineFeed = UInt8(ascii: "\n")
