internal import COpenSSL

/// AES-256 in Galois/Counter Mode with a nonce of 12 bytes and a tag of 16.
///
/// - Source: NIST SP 800-38D; RFC 5084 for its place in CMS.
enum AES256GCM {
    static let keyBytes = 32
    static let nonceBytes = 12
    static let tagBytes = 16

    /// Seals one content after the other: to set up a context costs as much as to seal a small one.
    struct Sealer: ~Copyable {
        private let context: Context

        init() throws(EnvelopeError) {
            guard let context = Context() else { throw .libraryFailure("set up AES-256-GCM") }
            self.context = context
        }

        /// - Precondition: sizes as above, and a content that a C `int` counts.
        /// - Returns: `ciphertext ‖ tag`.
        func seal(
            _ content: [UInt8], key: [UInt8], nonce: [UInt8], authenticating associated: [UInt8]
        ) throws(EnvelopeError) -> [UInt8] {
            var sealed = [UInt8](repeating: 0, count: content.count + tagBytes)
            guard
                context.begin(key: key, nonce: nonce, encrypting: true), context.authenticate(associated),
                context.run(content, into: &sealed), context.finish(),
                unsafe sealed.withUnsafeMutableBytes({
                    unsafe EVP_CIPHER_CTX_ctrl(
                        context.pointer, EVP_CTRL_AEAD_GET_TAG, Int32(tagBytes),
                        $0.baseAddress?.advanced(by: content.count))
                }) == 1
            else { throw .libraryFailure("encrypt with AES-256-GCM") }
            return sealed
        }
    }

    /// As `Sealer`, once.
    static func seal(
        _ content: [UInt8], key: [UInt8], nonce: [UInt8], authenticating associated: [UInt8] = []
    ) throws(EnvelopeError) -> (ciphertext: [UInt8], tag: [UInt8]) {
        let sealed = try Sealer().seal(content, key: key, nonce: nonce, authenticating: associated)
        return (Array(sealed.dropLast(tagBytes)), Array(sealed.suffix(tagBytes)))
    }

    /// `nil` where key, nonce, tag, associated data and ciphertext do not all belong together.
    static func open(
        _ ciphertext: [UInt8], tag: [UInt8], key: [UInt8], nonce: [UInt8],
        authenticating associated: [UInt8] = []
    ) -> [UInt8]? {
        precondition(tag.count == tagBytes, "a tag has 16 bytes")
        var tag = tag
        var content = [UInt8](repeating: 0, count: ciphertext.count)
        guard let context = Context(), context.begin(key: key, nonce: nonce, encrypting: false),
            unsafe EVP_CIPHER_CTX_ctrl(context.pointer, EVP_CTRL_AEAD_SET_TAG, Int32(tagBytes), &tag) == 1,
            context.authenticate(associated), context.run(ciphertext, into: &content), context.finish()
        else { return nil }
        return content
    }

    /// OpenSSL's state of one encryption or decryption after the other.
    @safe private struct Context: ~Copyable {
        let pointer: OpaquePointer

        init?() {
            guard let pointer = unsafe EVP_CIPHER_CTX_new() else { return nil }
            // Which way it works is said with each key.
            guard unsafe EVP_CipherInit_ex2(pointer, OpenSSL.aes256GCM, nil, nil, 1, nil) == 1 else {
                unsafe EVP_CIPHER_CTX_free(pointer)
                OpenSSL.forgetErrors()
                return nil
            }
            unsafe self.pointer = pointer
        }

        deinit {
            unsafe EVP_CIPHER_CTX_free(pointer)
            OpenSSL.forgetErrors()
        }

        func begin(key: [UInt8], nonce: [UInt8], encrypting: Bool) -> Bool {
            precondition(key.count == keyBytes, "a content key has 32 bytes")
            precondition(nonce.count == nonceBytes, "a nonce has 12 bytes")
            return unsafe EVP_CipherInit_ex2(pointer, nil, key, nonce, encrypting ? 1 : 0, nil) == 1
        }

        func authenticate(_ associated: [UInt8]) -> Bool {
            guard let count = Int32(exactly: associated.count) else { return false }
            guard count > 0 else { return true }
            var written: Int32 = 0
            return unsafe EVP_CipherUpdate(pointer, nil, &written, associated, count) == 1
        }

        /// GCM writes exactly as much as it reads, and nothing at the end.
        func run(_ input: [UInt8], into output: inout [UInt8]) -> Bool {
            guard let count = Int32(exactly: input.count) else { return false }
            guard count > 0 else { return true }
            var written: Int32 = 0
            return unsafe EVP_CipherUpdate(pointer, &output, &written, input, count) == 1 && written == count
        }

        func finish() -> Bool {
            var rest: UInt8 = 0
            var written: Int32 = 0
            return unsafe EVP_CipherFinal_ex(pointer, &rest, &written) == 1 && written == 0
        }
    }
}
