import COpenSSL
import Dispatch
import Ledger

/// RSA-3072 signature checks and nothing else: what an audit, or any node, cannot be faster than.
///
/// `@unchecked Sendable` by this rule: the key is not changed after `init`, and each thread has a context of its own.
final class BareVerification: @unchecked Sendable {
    private let key: OpaquePointer
    private let signed: [(digest: [UInt8], signature: [UInt8])]

    /// - Parameter pem: an RSA private key, which makes the signatures.
    init(pem: [UInt8]) throws {
        let read: OpaquePointer? = pem.withUnsafeBytes { buffer in
            guard let file = BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count)) else { return nil }
            defer { BIO_free(file) }
            return PEM_read_bio_PrivateKey(file, nil, nil, nil)
        }
        guard let key = read else { throw BenchFailure("the submitter's key cannot be read") }
        self.key = key
        signed = try (0..<64).map { number in
            let digest = Digest.sha256([UInt8(number)]).bytes
            return (digest, try Self.sign(digest, key))
        }
    }

    deinit { EVP_PKEY_free(key) }

    func perSecond(threads: Int) -> Double {
        let each = 4000
        let time = seconds {
            DispatchQueue.concurrentPerform(iterations: threads) { _ in verify(each) }
        }
        return Double(each * threads) / time
    }

    private func verify(_ count: Int) {
        guard let context = Self.context(key, EVP_PKEY_verify_init) else {
            preconditionFailure("OpenSSL verifies")
        }
        defer { EVP_PKEY_CTX_free(context) }
        for number in 0..<count {
            let (digest, signature) = signed[number % signed.count]
            let result = EVP_PKEY_verify(context, signature, signature.count, digest, digest.count)
            precondition(result == 1, "our own signature is valid")
        }
    }

    private static func sign(_ digest: [UInt8], _ key: OpaquePointer) throws -> [UInt8] {
        guard let context = context(key, EVP_PKEY_sign_init) else {
            throw BenchFailure("OpenSSL does not sign")
        }
        defer { EVP_PKEY_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: 512)
        var count = signature.count
        guard EVP_PKEY_sign(context, &signature, &count, digest, digest.count) == 1 else {
            throw BenchFailure("OpenSSL does not sign")
        }
        return Array(signature.prefix(count))
    }

    private static func context(_ key: OpaquePointer, _ begin: (OpaquePointer?) -> Int32) -> OpaquePointer? {
        guard let context = EVP_PKEY_CTX_new_from_pkey(nil, key, nil) else { return nil }
        guard begin(context) == 1, EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1,
            EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1
        else {
            EVP_PKEY_CTX_free(context)
            return nil
        }
        return context
    }
}
