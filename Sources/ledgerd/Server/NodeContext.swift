import Foundation
import Hummingbird
import Ledger
import NIOCore

/// What a request carries through the middlewares.
struct NodeContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The connection, or its stream; it knows the client's certificate.
    let channel: any Channel
    /// Who asks, once `AccessMiddleware` has found out.
    var principal: Principal?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    /// - Throws: `Problem.unauthenticated` or `.forbidden`.
    @discardableResult
    func require(_ roles: Role...) throws -> Principal {
        guard let principal else { throw Problem.unauthenticated }
        guard principal.roles.contains(where: roles.contains) else { throw Problem.forbidden(needing: roles) }
        return principal
    }
}

/// Who asks, and what they may.
struct Principal: Sendable, Hashable {
    /// The identity, for a submitter who reads its own entries.
    let subject: String
    let roles: [Role]
    /// When what was shown says nothing any more: what goes on for long ends then.
    let expires: Date
    /// Of a client certificate.
    var keyIdentifier: [UInt8]?

    /// Whether what was shown still holds.
    func isValid(at time: Timestamp, _ registry: Registry) -> Bool {
        guard Double(time.milliseconds) / 1000 < expires.timeIntervalSince1970 else { return false }
        guard let keyIdentifier else { return true }
        return registry.key(keyIdentifier).map { !$0.isRevoked } ?? false
    }
}
