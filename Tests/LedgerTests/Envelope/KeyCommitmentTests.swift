import Testing

@testable import Ledger

@Suite struct `A key commitment` {
    @Test func `is the hash that formats.md writes down`() {
        let key = [UInt8](repeating: 9, count: 32)
        let payload = Digest.sha256([5])
        let expected = Digest.sha256([3] + key + payload.bytes)
        #expect(KeyCommitment.of(contentKey: key, payloadDigest: payload) == expected)
        #expect(KeyCommitment.fold([]) == Digest.sha256([]))
        #expect(KeyCommitment.fold([expected, .zero]) == Digest.sha256(expected.bytes + Digest.zero.bytes))
        #expect(KeyCommitment.fold([expected, .zero]) != KeyCommitment.fold([.zero, expected]))
    }

    /// The attack that the commitment is there for: two nodes open one signed payload and read two texts.
    @Test func `tells apart the two keys that open one ciphertext`() throws {
        let nodes = try TestIdentities.shared().nodes
        let keys = [try RandomBytes.make(32), try RandomBytes.make(32)]
        let nonce = try RandomBytes.make(12)
        let forged = try TwoKeyCiphertext(keys: keys, nonce: nonce)

        let template = try SealedPayload.seal([0], to: [nodes[0].certificate, nodes[1].certificate])
        var tree = DERTree(template.bytes)
        let recipients = try zip(keys, nodes).map { key, node in
            try NodeRecipient(encrypting: key, to: node.certificate).encoded
        }
        tree[1, 0, 1].children = recipients.sorted { $0.lexicographicallyPrecedes($1) }.map { DERTree($0) }
        tree[1, 0, 2, 1, 1, 0].content = nonce
        tree[1, 0, 2, 2].content = forged.ciphertext
        tree[1, 0, 3].content = forged.tag

        let sealed = try SealedPayload(tree.bytes)
        #expect(sealed.isSealed(exactlyTo: nodes.prefix(2).map(\.certificate)))
        let opened = try nodes.prefix(2).map {
            try sealed.open(with: try $0.decryptionKey(), certificate: $0.certificate)
        }
        #expect(opened[0].content != opened[1].content)
        #expect(opened.map(\.contentKey) == keys)
        let commitments = opened.map {
            KeyCommitment.of(contentKey: $0.contentKey, payloadDigest: sealed.digest)
        }
        #expect(commitments[0] != commitments[1])
    }
}

/// A ciphertext and a tag that two keys accept, by the linearity of GHASH.
///
/// - Source: P. Grubbs, J. Lu, T. Ristenpart, "Message Franking via Committing Authenticated Encryption", 2017, §3.
struct TwoKeyCiphertext {
    let ciphertext: [UInt8]
    let tag: [UInt8]

    init(keys: [[UInt8]], nonce: [UInt8]) throws {
        let first = [UInt8](repeating: 0x55, count: 16)
        // Two blocks: the first is free, the second makes both tags agree.
        // tag = C1·H³ + C2·H² + L·H + E, so C2 = (t1 + t2) / (H1² + H2²) with tᵢ the tag for C2 = 0.
        var partial: [GaloisElement] = []
        var squares: [GaloisElement] = []
        for key in keys {
            let mask = GaloisElement(try AES256GCM.seal([], key: key, nonce: nonce).tag)
            let hash = try Self.hashKey(key: key, nonce: nonce)
            let square = hash.times(hash)
            let length = GaloisElement([UInt8](repeating: 0, count: 14) + [1, 0])
            partial.append(
                GaloisElement(first).times(square.times(hash)).plus(length.times(hash)).plus(mask))
            squares.append(square)
        }
        let second = partial[0].plus(partial[1]).times(squares[0].plus(squares[1]).inverse)
        ciphertext = first + second.bytes
        tag = partial[0].plus(second.times(squares[0])).bytes
    }

    /// `H`, from the tags of two messages that differ in one bit of the associated data: their sum is `H²`.
    private static func hashKey(key: [UInt8], nonce: [UInt8]) throws -> GaloisElement {
        let zero = [UInt8](repeating: 0, count: 16)
        let one = [0x80] + zero.dropLast()
        let tags = try [zero, one].map {
            GaloisElement(try AES256GCM.seal([], key: key, nonce: nonce, authenticating: $0).tag)
        }
        // The root of x is x^(2^127).
        var root = tags[0].plus(tags[1])
        for _ in 0..<127 { root = root.times(root) }
        return root
    }
}

/// An element of GF(2^128) as GCM writes it: bit 0 is the highest bit of the first byte.
struct GaloisElement {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func plus(_ other: GaloisElement) -> GaloisElement {
        GaloisElement(zip(bytes, other.bytes).map { $0 ^ $1 })
    }

    /// Source: NIST SP 800-38D, algorithm 1.
    func times(_ other: GaloisElement) -> GaloisElement {
        var product = [UInt8](repeating: 0, count: 16)
        var factor = other.bytes
        for bit in 0..<128 {
            if bytes[bit / 8] & (0x80 >> UInt8(bit % 8)) != 0 { for i in 0..<16 { product[i] ^= factor[i] } }
            let overflow = factor[15] & 1 != 0
            for i in (0..<16).reversed() { factor[i] = factor[i] >> 1 | (i > 0 ? factor[i - 1] << 7 : 0) }
            if overflow { factor[0] ^= 0xE1 }
        }
        return GaloisElement(product)
    }

    /// x^(2^128 - 2).
    var inverse: GaloisElement {
        var result = self
        for _ in 0..<126 { result = result.times(result).times(self) }
        return result.times(result)
    }
}
