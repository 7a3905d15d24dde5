internal import COpenSSL
import Synchronization

/// One OpenSSL key, of a kind that the ledger takes.
///
/// `@unchecked Sendable` by this rule: neither key nor template is changed after `init`, and OpenSSL lets any number of
/// threads read such objects at once (openssl-threads(7)); every operation has a context to itself while it lasts. The
/// pointers never leave this file.
@safe final class EVPKey: @unchecked Sendable {
    /// What a key can do follows from its kind.
    enum Kind: Hashable, Sendable {
        /// The modulus, in bits; a multiple of 8.
        case rsa(bits: Int)
        case p256
    }

    let kind: Kind
    private let pointer: OpaquePointer
    /// Ready to verify: copies of it are what calls work with, which costs less than looking the algorithms up again.
    private let verification: OpaquePointer?
    /// Copies that no call holds. Never more of them than threads have verified with this key at one time.
    private let idle = Mutex<[VerificationContext]>([])

    /// Every SubjectPublicKeyInfo of a P-256 key begins so: id-ecPublicKey, prime256v1 by name, 65 bytes uncompressed.
    private static let p256Prefix: [UInt8] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A,
        0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ]

    /// Takes the ownership of `owned`, also when it throws.
    private init(owned: OpaquePointer, failure: EnvelopeError.Code) throws(EnvelopeError) {
        do throws(EnvelopeError) {
            kind = try unsafe Self.kind(of: owned, failure)
        } catch {
            // An initialiser that throws here runs no `deinit`; strangers could make us leak.
            unsafe EVP_PKEY_free(owned)
            throw error
        }
        unsafe pointer = owned
        unsafe verification = Self.verification(owned, kind)
    }

    deinit {
        unsafe EVP_PKEY_CTX_free(verification)
        unsafe EVP_PKEY_free(pointer)
    }

    private static func kind(
        of key: OpaquePointer, _ failure: EnvelopeError.Code
    ) throws(EnvelopeError) -> Kind {
        switch unsafe EVP_PKEY_get_base_id(key) {
        case EVP_PKEY_RSA:
            let bits = Int(unsafe EVP_PKEY_get_bits(key))
            let range = Limits.rsaBits
            guard range.contains(bits), bits % 8 == 0 else {
                throw EnvelopeError(
                    failure,
                    "an RSA key of \(bits) bits is not one of \(range.lowerBound) to \(range.upperBound)")
            }
            // A huge exponent makes each verification slow, a tiny one is fragile; every tool uses 2^16 + 1.
            guard unsafe rsaExponent(key) == 65_537 else {
                throw EnvelopeError(failure, "the public exponent of the RSA key is not 65537")
            }
            return .rsa(bits: bits)
        case EVP_PKEY_EC:
            guard try unsafe publicKeyInfo(key).starts(with: p256Prefix) else {
                throw EnvelopeError(
                    failure, "the elliptic curve of the key is not P-256, by name and uncompressed")
            }
            return .p256
        default:
            throw EnvelopeError(failure, "the key is neither RSA nor P-256")
        }
    }

    /// The public key of an X.509 certificate in DER.
    convenience init(certificate der: [UInt8]) throws(EnvelopeError) {
        let key: OpaquePointer? = unsafe der.withUnsafeBufferPointer { buffer in
            var position = buffer.baseAddress
            guard let certificate = unsafe d2i_X509(nil, &position, buffer.count) else { return nil }
            defer { unsafe X509_free(certificate) }
            guard let key = unsafe X509_get0_pubkey(certificate), unsafe EVP_PKEY_up_ref(key) == 1 else {
                return nil
            }
            return unsafe key
        }
        guard let key = unsafe key else {
            OpenSSL.forgetErrors()
            throw EnvelopeError(.badCertificate, "OpenSSL cannot read the certificate or its key")
        }
        unsafe try self.init(owned: key, failure: .badCertificate)
    }

    /// A private key in PEM: PKCS #8 or the older forms, without a passphrase.
    convenience init(privateKeyPEM pem: [UInt8]) throws(EnvelopeError) {
        let key: OpaquePointer? = unsafe pem.withUnsafeBytes { buffer in
            guard buffer.count <= Limits.pemBytes,
                let file = unsafe BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count))
            else { return nil }
            defer { unsafe BIO_free(file) }
            // Without a callback, OpenSSL would ask for a passphrase on the terminal.
            return unsafe PEM_read_bio_PrivateKey(file, nil, { _, _, _, _ in -1 }, nil)
        }
        guard let key = unsafe key else {
            OpenSSL.forgetErrors()
            throw EnvelopeError(.badKey, "this is no private key in PEM without a passphrase")
        }
        unsafe try self.init(owned: key, failure: .badKey)
    }

    /// Whether both have the same public key.
    func matches(_ other: EVPKey) -> Bool {
        defer { OpenSSL.forgetErrors() }
        return unsafe EVP_PKEY_eq(pointer, other.pointer) == 1
    }

    /// DER of the SubjectPublicKeyInfo.
    private static func publicKeyInfo(_ key: OpaquePointer) throws(EnvelopeError) -> [UInt8] {
        let count = Int(unsafe i2d_PUBKEY(key, nil))
        guard count > 0 else {
            OpenSSL.forgetErrors()
            throw .libraryFailure("encode a public key")
        }
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
            var position = buffer.baseAddress
            written = max(0, Int(unsafe i2d_PUBKEY(key, &position)))
        }
    }

    private static func rsaExponent(_ key: OpaquePointer) -> UInt {
        var number: OpaquePointer?
        guard unsafe EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &number) == 1 else { return 0 }
        defer { unsafe BN_free(number) }
        guard unsafe BN_num_bits(number) <= 32 else { return 0 }
        return UInt(unsafe BN_get_word(number))
    }
}

// MARK: - Signatures over SHA-256

extension EVPKey {
    /// RSASSA-PKCS1-v1_5 or ECDSA, by the kind of the key.
    func verifies(_ signature: [UInt8], of digest: Digest) -> Bool {
        defer { OpenSSL.forgetErrors() }
        let message = digest.bytes
        let waiting = idle.withLock { $0.popLast() }
        guard let context = unsafe waiting ?? VerificationContext(copying: verification) else { return false }
        defer { idle.withLock { $0.append(context) } }
        return unsafe EVP_PKEY_verify(context.pointer, signature, signature.count, message, message.count)
            == 1
    }

    /// A context set up to verify. What a verification leaves in it does not reach the next one.
    ///
    /// `@unchecked Sendable`: one call holds it at a time; the pool hands it out under a lock.
    @safe private final class VerificationContext: @unchecked Sendable {
        let pointer: OpaquePointer

        init?(copying template: OpaquePointer?) {
            guard let copy = unsafe EVP_PKEY_CTX_dup(template) else { return nil }
            unsafe pointer = copy
        }

        deinit { unsafe EVP_PKEY_CTX_free(pointer) }
    }

    func sign(_ digest: Digest) throws(EnvelopeError) -> [UInt8] {
        defer { OpenSSL.forgetErrors() }
        let failure = EnvelopeError.libraryFailure("sign")
        let message = digest.bytes
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, pointer, nil) else { throw failure }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var count = 0
        guard unsafe EVP_PKEY_sign_init(context) == 1, unsafe Self.setSignatureScheme(context, kind),
            unsafe EVP_PKEY_sign(context, nil, &count, message, message.count) == 1
        else { throw failure }
        var signature = [UInt8](repeating: 0, count: count)
        guard unsafe EVP_PKEY_sign(context, &signature, &count, message, message.count) == 1,
            count <= signature.count
        else { throw failure }
        return Array(signature.prefix(count))
    }

    /// `nil` where the library fails; then nothing verifies.
    private static func verification(_ key: OpaquePointer, _ kind: Kind) -> OpaquePointer? {
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key, nil) else { return nil }
        guard unsafe EVP_PKEY_verify_init(context) == 1, unsafe setSignatureScheme(context, kind) else {
            unsafe EVP_PKEY_CTX_free(context)
            return nil
        }
        return unsafe context
    }

    private static func setSignatureScheme(_ context: OpaquePointer, _ kind: Kind) -> Bool {
        guard unsafe EVP_PKEY_CTX_set_signature_md(context, OpenSSL.sha256) == 1 else { return false }
        switch kind {
        case .rsa: return unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1
        case .p256: return true
        }
    }
}

// MARK: - RSAES-OAEP with SHA-256, MGF1 with SHA-256 and an empty label

extension EVPKey {
    func encrypt(_ contentKey: [UInt8]) throws(EnvelopeError) -> [UInt8] {
        let result = unsafe oaep(contentKey, begin: EVP_PKEY_encrypt_init, run: EVP_PKEY_encrypt)
        guard let result else { throw .libraryFailure("encrypt a key with RSA-OAEP") }
        return result
    }

    /// `nil` for every ciphertext that does not open, whatever the cause.
    func decrypt(_ ciphertext: [UInt8]) -> [UInt8]? {
        unsafe oaep(ciphertext, begin: EVP_PKEY_decrypt_init, run: EVP_PKEY_decrypt)
    }

    private typealias Transform = (
        OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<Int>?, UnsafePointer<UInt8>?, Int
    ) -> Int32

    private func oaep(_ input: [UInt8], begin: (OpaquePointer?) -> Int32, run: Transform) -> [UInt8]? {
        defer { OpenSSL.forgetErrors() }
        guard case .rsa = kind, let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, pointer, nil) else {
            return nil
        }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var count = 0
        guard unsafe begin(context) == 1,
            unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1,
            unsafe EVP_PKEY_CTX_set_rsa_oaep_md(context, OpenSSL.sha256) == 1,
            unsafe EVP_PKEY_CTX_set_rsa_mgf1_md(context, OpenSSL.sha256) == 1,
            unsafe run(context, nil, &count, input, input.count) == 1
        else { return nil }
        var output = [UInt8](repeating: 0, count: count)
        guard unsafe run(context, &output, &count, input, input.count) == 1, count <= output.count else {
            return nil
        }
        return Array(output.prefix(count))
    }
}
