internal import COpenSSL

/// AES-256 in Galois/Counter Mode with a nonce of 12 bytes and a tag of 16.
///
/// - Source: NIST SP 800-38D; RFC 5084 for its place in CMS.
enum AES256GCM {
    static let keyBytes = 32
    static let nonceBytes = 12
    static let tagBytes = 16

    /// - Precondition: sizes as above, and a content that a C `int` counts.
    static func seal(
        _ content: [UInt8], key: [UInt8], nonce: [UInt8], authenticating associated: [UInt8] = []
    ) throws(EnvelopeError) -> (ciphertext: [UInt8], tag: [UInt8]) {
        var tag = [UInt8](repeating: 0, count: tagBytes)
        guard
            let ciphertext = run(
                content, key: key, nonce: nonce, associated: associated, tag: &tag, encrypting: true)
        else { throw .libraryFailure("encrypt with AES-256-GCM") }
        return (ciphertext, tag)
    }

    /// `nil` where key, nonce, tag, associated data and ciphertext do not all belong together.
    static func open(
        _ ciphertext: [UInt8], tag: [UInt8], key: [UInt8], nonce: [UInt8],
        authenticating associated: [UInt8] = []
    ) -> [UInt8]? {
        var tag = tag
        return run(ciphertext, key: key, nonce: nonce, associated: associated, tag: &tag, encrypting: false)
    }

    private static func run(
        _ input: [UInt8], key: [UInt8], nonce: [UInt8], associated: [UInt8], tag: inout [UInt8],
        encrypting: Bool
    ) -> [UInt8]? {
        precondition(key.count == keyBytes, "a content key has 32 bytes")
        precondition(nonce.count == nonceBytes, "a nonce has 12 bytes")
        precondition(tag.count == tagBytes, "a tag has 16 bytes")
        guard let count = Int32(exactly: input.count), let associatedCount = Int32(exactly: associated.count),
            let context = unsafe EVP_CIPHER_CTX_new()
        else { return nil }
        defer {
            unsafe EVP_CIPHER_CTX_free(context)
            OpenSSL.forgetErrors()
        }
        var written: Int32 = 0
        guard unsafe EVP_CipherInit_ex2(context, OpenSSL.aes256GCM, key, nonce, encrypting ? 1 : 0, nil) == 1
        else { return nil }
        if !encrypting {
            guard
                unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tagBytes), &tag) == 1
            else { return nil }
        }
        if !associated.isEmpty {
            guard unsafe EVP_CipherUpdate(context, nil, &written, associated, associatedCount) == 1 else {
                return nil
            }
        }
        // GCM writes exactly as much as it reads, and nothing at the end.
        var output = [UInt8](repeating: 0, count: input.count)
        if !input.isEmpty {
            guard unsafe EVP_CipherUpdate(context, &output, &written, input, count) == 1, written == count
            else { return nil }
        }
        var rest = [UInt8](repeating: 0, count: tagBytes)
        guard unsafe EVP_CipherFinal_ex(context, &rest, &written) == 1, written == 0 else { return nil }
        if encrypting {
            guard
                unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(tagBytes), &tag) == 1
            else { return nil }
        }
        return output
    }
}
