internal import COpenSSL

/// What all calls into OpenSSL share: algorithms fetched once, and an empty queue of errors.
///
/// Fetched algorithms are immutable and live as long as the process, which is what makes it safe to share them.
enum OpenSSL {
    nonisolated(unsafe) static let sha256: OpaquePointer? = unsafe EVP_MD_fetch(nil, "SHA2-256", nil)
    nonisolated(unsafe) static let aes256GCM: OpaquePointer? = unsafe EVP_CIPHER_fetch(
        nil, "AES-256-GCM", nil)
    nonisolated(unsafe) static let aes256Wrap: OpaquePointer? = unsafe EVP_CIPHER_fetch(
        nil, "AES-256-WRAP", nil)

    /// Errors of OpenSSL wait in a queue of the thread, where the next user of the library would find ours.
    static func forgetErrors() {
        // Nearly always there are none, and clearing the queue costs more than looking.
        if ERR_peek_error() != 0 { ERR_clear_error() }
    }
}

/// Randomness of OpenSSL's generator, for keys and nonces made at the edge; never for a replica's decisions.
public enum RandomBytes {
    /// - Precondition: `count` is neither negative nor over 2³¹ - 1.
    /// - Throws: `.libraryFailure` where the operating system gave no entropy.
    public static func make(_ count: Int) throws(EnvelopeError) -> [UInt8] {
        precondition(count >= 0 && count <= Int(Int32.max), "a request for randomness is of a sensible size")
        var bytes = [UInt8](repeating: 0, count: count)
        guard unsafe RAND_bytes(&bytes, Int32(count)) == 1 else {
            OpenSSL.forgetErrors()
            throw .libraryFailure("make random bytes")
        }
        return bytes
    }
}
