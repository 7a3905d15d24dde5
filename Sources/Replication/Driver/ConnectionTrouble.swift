import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// Why a connection fails, in the few words that an operator needs.
enum ConnectionTrouble {
    static func text(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { text($0.error) } ?? "\(error.host) has no address"
        case let error as IOError: String(cString: strerror(error.errnoCode)).lowercased()
        case ChannelError.connectTimeout: "no answer in time"
        case NIOSSLError.uncleanShutdown: "it was cut off"
        case is NIOSSLError, is BoringSSLError: "TLS: \(words(ofTLS: "\(error)"))"
        default: "\(error)"
        }
    }

    /// BoringSSL names the reason between `OPENSSL_internal:` and the line of its own source.
    private static func words(ofTLS description: String) -> String {
        guard let start = description.firstRange(of: "OPENSSL_internal:")?.upperBound else {
            return "the handshake failed"
        }
        return description[start...].prefix { $0 != " " }.lowercased().split(separator: "_")
            .joined(separator: " ")
    }
}

/// Counts what strangers do to a port, and says the first few: they must not fill a node's output.
struct StrangerLog: Sendable {
    private(set) var count: UInt64 = 0

    /// - Returns: What to say of it, if anything.
    mutating func note(_ line: String) -> String? {
        count += 1
        if count < Self.reports { return line }
        if count == Self.reports { return line + "; further ones are only counted" }
        return nil
    }

    private static let reports: UInt64 = 16
}
