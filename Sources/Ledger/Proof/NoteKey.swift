/// A public key that verifies lines of signed notes, with its name: C2SP's *vkey*.
public struct NoteVerifierKey: Hashable, Sendable {
    /// What a signature line holds; the byte is part of the key id.
    public enum Kind: UInt8, Hashable, Sendable {
        /// Ed25519 over the text (C2SP signed-note). The ledger key.
        case note = 0x01
        /// A time and Ed25519 over the time and the text (C2SP tlog-cosignature). The votes of nodes.
        case cosignature = 0x04
    }

    public let name: KeyName
    public let kind: Kind
    public let key: VerificationKey
    /// The first four bytes of `SHA256(name ‖ 0A ‖ kind ‖ key)`, big-endian.
    public let id: UInt32

    public init(name: KeyName, kind: Kind, key: VerificationKey) {
        self.name = name
        self.kind = kind
        self.key = key
        let digest = Digest.sha256(name.bytes + [0x0A, kind.rawValue] + key.bytes)
        id = digest.bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// `name+hex(key id)+base64(kind ‖ key)`.
    public var text: String {
        var writer = ByteWriter()
        writer.write(id)
        return "\(name)+\(writer.bytes.hexadecimal)+\(Base64.encode([kind.rawValue] + key.bytes))"
    }

    /// Reads what `text` writes, and checks that the key id belongs to name and key.
    public init(parsing text: some StringProtocol) throws(ProofError) {
        // Names hold no plus sign, base64 does: the first two divide the three parts.
        let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw ProofError(.malformedKey, "a key is not name+id+base64") }
        let name = try KeyName(parts[0])
        guard let material = Base64.decode(parts[2]), let first = material.first else {
            throw ProofError(.malformedKey, "the key of \(name) is not base64")
        }
        guard let kind = Kind(rawValue: first) else {
            throw ProofError(
                .malformedKey, "the key of \(name) is of the unknown type \([first].hexadecimal)")
        }
        guard let key = VerificationKey(Array(material.dropFirst())) else {
            throw ProofError(.malformedKey, "the key of \(name) has not 32 bytes")
        }
        self.init(name: name, kind: kind, key: key)
        guard self.text.utf8.elementsEqual(text.utf8) else {
            throw ProofError(.malformedKey, "the key id of \(name) does not belong to its name and key")
        }
    }

    /// Whether a signature line claims to be this key's.
    public func made(_ signature: NoteSignature) -> Bool {
        signature.keyID == id && signature.name == name
    }

    /// Whether the bytes of `signature` are this key's signature of `text`, by the rules of its kind.
    public func isValid(_ signature: NoteSignature, over text: [UInt8]) -> Bool {
        switch kind {
        case .note: key.isValid(signature.bytes, over: text)
        case .cosignature: Cosignature(signature.bytes)?.isValid(over: text, by: key) ?? false
        }
    }
}

/// The private half of a `NoteVerifierKey`.
public struct NoteSigningKey: Sendable {
    public let verifierKey: NoteVerifierKey
    private let key: SigningKey

    public init(name: KeyName, kind: NoteVerifierKey.Kind, key: SigningKey) {
        verifierKey = NoteVerifierKey(name: name, kind: kind, key: key.verificationKey)
        self.key = key
    }

    /// A signature line for `text`.
    ///
    /// - Parameter seconds: the time that a cosignature states, in seconds since 1970; unused by other kinds.
    public func sign(_ text: [UInt8], at seconds: UInt64 = 0) -> NoteSignature {
        let bytes =
            switch verifierKey.kind {
            case .note: key.sign(text)
            case .cosignature: Cosignature(signing: text, at: seconds, with: key).bytes
            }
        return NoteSignature(name: verifierKey.name, keyID: verifierKey.id, bytes: bytes)
    }
}
