import Crypto
import Foundation
import JWTKit
import Ledger

/// The claims of an access token. Issued by `ledgerd token`.
struct AccessClaims: JWTPayload {
    /// The origin of the ledger that issued it.
    let iss: IssuerClaim
    /// The origin of the ledger that it is for.
    let aud: Audience
    let sub: SubjectClaim
    let roles: [String]
    let iat: IssuedAtClaim
    let exp: ExpirationClaim

    func verify(using algorithm: some JWTAlgorithm) throws { try exp.verifyNotExpired() }
}

/// The `aud` claim: one string, or several in an array.
///
/// JWTKit's own type stops the process where the array is empty.
/// - Source: RFC 7519 §4.1.3.
struct Audience: Codable, Hashable, Sendable {
    let values: [String]

    init(_ values: [String]) { self.values = values }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let value = try? container.decode(String.self) {
            values = [value]
        } else {
            values = try container.decode([String].self)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if values.count == 1 { try container.encode(values[0]) } else { try container.encode(values) }
    }
}

/// Reads and signs access tokens. ES256 with the ledger's token key is all that is accepted: the collection holds no
/// other key, so no other algorithm verifies, whatever a token's header says.
struct AccessTokens: Sendable {
    private let keys: JWTKeyCollection
    private let origin: String

    init(genesis: Genesis) async throws {
        origin = genesis.origin
        let key = try P256.Signing.PublicKey(derRepresentation: Data(genesis.tokenKey))
        keys = await JWTKeyCollection().add(ecdsa: try ES256PublicKey(backing: key))
    }

    /// Who a token speaks for.
    ///
    /// - Throws: `Problem.badToken`.
    func principal(_ token: String) async throws -> Principal {
        guard token.utf8.count <= Limits.tokenBytes else { throw Problem.badToken("the token is too long") }
        let claims: AccessClaims
        do { claims = try await keys.verify(token, as: AccessClaims.self) } catch let error as JWTError {
            let expired = error.failedClaim is ExpirationClaim
            throw Problem.badToken(
                expired ? "the token has expired" : "the token is not one of this ledger's")
        } catch { throw Problem.badToken("the token is not one of this ledger's") }
        guard claims.iss.value == origin, claims.aud.values == [origin] else {
            throw Problem.badToken("the token is for another ledger")
        }
        return Principal(
            subject: claims.sub.value, roles: claims.roles.compactMap(Role.init(rawValue:)),
            expires: claims.exp.value)
    }

    /// Signs a token with the ledger's token key.
    static func issue(
        origin: String, subject: String, roles: [Role], from now: Date, seconds: Int, tokenKeyPEM: String
    ) async throws -> String {
        let keys = await JWTKeyCollection().add(ecdsa: try ES256PrivateKey(pem: tokenKeyPEM))
        return try await keys.sign(
            AccessClaims(
                iss: IssuerClaim(value: origin), aud: Audience([origin]),
                sub: SubjectClaim(value: subject), roles: roles.map(\.rawValue),
                iat: IssuedAtClaim(value: now),
                exp: ExpirationClaim(value: now.addingTimeInterval(TimeInterval(seconds)))))
    }
}
