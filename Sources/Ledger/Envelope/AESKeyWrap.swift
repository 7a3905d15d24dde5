internal import COpenSSL

/// Wraps a key of 32 bytes under another of 32 bytes, into 40.
///
/// - Source: RFC 3394; id-aes256-wrap of RFC 3565.
enum AESKeyWrap {
    static let wrappedBytes = 40

    static func wrap(_ contentKey: [UInt8], under sessionKey: [UInt8]) throws(EnvelopeError) -> [UInt8] {
        guard let wrapped = run(contentKey, sessionKey, encrypting: true), wrapped.count == wrappedBytes
        else {
            throw .libraryFailure("wrap a key")
        }
        return wrapped
    }

    /// `nil` where the key is another or the wrapped bytes were changed.
    static func unwrap(_ wrapped: [UInt8], under sessionKey: [UInt8]) -> [UInt8]? {
        guard wrapped.count == wrappedBytes else { return nil }
        return run(wrapped, sessionKey, encrypting: false)
    }

    private static func run(_ input: [UInt8], _ sessionKey: [UInt8], encrypting: Bool) -> [UInt8]? {
        precondition(sessionKey.count == AES256GCM.keyBytes, "a session key has 32 bytes")
        guard let count = Int32(exactly: input.count), let context = unsafe EVP_CIPHER_CTX_new() else {
            return nil
        }
        defer {
            unsafe EVP_CIPHER_CTX_free(context)
            OpenSSL.forgetErrors()
        }
        unsafe EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW)
        var written: Int32 = 0
        var output = [UInt8](repeating: 0, count: input.count + 16)
        guard
            unsafe EVP_CipherInit_ex2(
                context, OpenSSL.aes256Wrap, sessionKey, nil, encrypting ? 1 : 0, nil) == 1,
            unsafe EVP_CipherUpdate(context, &output, &written, input, count) == 1,
            written >= 0, Int(written) <= output.count
        else { return nil }
        return Array(output.prefix(Int(written)))
    }
}
