import Foundation
import Hummingbird
import Ledger
import NIOSSL
import Replication

/// Finds out who asks: a bearer token, a token as the password of Basic, or a client certificate.
///
/// It refuses only what is shown and wrong. Whether anything needs to be shown is each route's to say.
struct AccessMiddleware: RouterMiddleware {
    typealias Context = NodeContext
    let node: Node

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var context = context
        if let token = try Self.token(request.headers[.authorization]) {
            context.principal = try await node.tokens.principal(token)
        } else if let certificate = node.shownCertificates.certificate(of: context.channel) {
            context.principal = try principal(certificate)
        }
        return try await next(request, context)
    }

    /// - Throws: `Problem.badToken` for a header that is neither `Bearer` nor `Basic`.
    private static func token(_ header: String?) throws -> String? {
        guard let header else { return nil }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { throw Problem.badToken("the Authorization header has no token") }
        switch parts[0].lowercased() {
        case "bearer": return String(parts[1])
        case "basic":
            guard let bytes = Data(base64Encoded: String(parts[1])),
                let pair = String(bytes: bytes, encoding: .utf8), let colon = pair.firstIndex(of: ":")
            else { throw Problem.badToken("the Basic credentials are not base64 of name:token") }
            return String(pair[pair.index(after: colon)...])
        default: throw Problem.badToken("only Bearer and Basic are understood")
        }
    }

    /// - Throws: `Problem.badToken` where the key is not enrolled, or may not act any more.
    private func principal(_ shown: NIOSSLCertificate) throws -> Principal {
        guard let der = try? shown.toDERBytes(), let certificate = try? KeyCertificate(der: der),
            let key = node.driver.published.state.registry.key(certificate.keyIdentifier),
            key.certificate.publicKeyInfo == certificate.publicKeyInfo
        else { throw Problem.badToken("the client certificate is not enrolled") }
        guard !key.isRevoked, key.certificate.isValid(at: node.clock()) else {
            throw Problem.badToken("the key of the client certificate has been revoked or has expired")
        }
        let expires = Double(key.certificate.notAfter.milliseconds) / 1000
        return Principal(
            subject: key.identity, roles: key.roles, expires: Date(timeIntervalSince1970: expires),
            keyIdentifier: certificate.keyIdentifier)
    }
}
