/// Who may do what: the enrolled keys, in the order of the log.
public struct Registry: Sendable {
    /// A key that acts, or acted, for an identity.
    public struct EnrolledKey: Sendable {
        public let identity: String
        public let roles: [Role]
        public let certificate: KeyCertificate
        public internal(set) var isRevoked: Bool
    }

    private var keys: [[UInt8]: EnrolledKey] = [:]
    /// The same keys by their SubjectPublicKeyInfo: a key under another identifier is still the same key.
    private var owners: [[UInt8]: String] = [:]

    public init() {}

    /// The key with this subject key identifier, revoked or not.
    public func key(_ identifier: [UInt8]) -> EnrolledKey? { keys[identifier] }

    /// The key, if it may act in `role` at `time`.
    public func key(
        _ identifier: [UInt8], actingAs role: Role, at time: Timestamp
    ) throws(Rejection) -> EnrolledKey {
        guard let key = keys[identifier] else {
            throw Rejection(
                .unauthenticated,
                "the signer's key \(identifier.hexadecimal) is not enrolled: ask an operator to enrol its certificate"
            )
        }
        guard !key.isRevoked else { throw Rejection(.forbidden, "the signer's key has been revoked") }
        guard key.roles.contains(role) else {
            throw Rejection(.forbidden, "\(key.identity) does not have the role \(role.rawValue)")
        }
        guard key.certificate.notBefore <= time, time <= key.certificate.notAfter else {
            throw Rejection(
                .forbidden,
                "the signer's certificate is valid from \(key.certificate.notBefore) to \(key.certificate.notAfter), not at \(time)"
            )
        }
        return key
    }

    /// Checks that a key may be enrolled: it never was, for anyone.
    func checkNew(_ enrolment: Enrolment) throws(Rejection) -> KeyCertificate {
        let certificate: KeyCertificate
        do { certificate = try KeyCertificate(der: enrolment.certificate) } catch {
            throw Rejection(
                .invalid, "the certificate of \(enrolment.identity) is not usable: \(error.reason)")
        }
        if let owner = keys[certificate.keyIdentifier]?.identity ?? owners[certificate.publicKeyInfo] {
            throw Rejection(
                .conflict, "this key is already enrolled for \(owner); a key serves one identity, for ever")
        }
        guard !enrolment.roles.isEmpty else {
            throw Rejection(.invalid, "an enrolment names at least one role")
        }
        return certificate
    }

    mutating func enrol(_ enrolment: Enrolment) throws(Rejection) {
        let certificate = try checkNew(enrolment)
        owners[certificate.publicKeyInfo] = enrolment.identity
        keys[certificate.keyIdentifier] = EnrolledKey(
            identity: enrolment.identity, roles: enrolment.roles, certificate: certificate, isRevoked: false)
    }

    func checkRevocable(identity: String, _ identifier: [UInt8]) throws(Rejection) {
        guard let key = keys[identifier], key.identity == identity else {
            throw Rejection(.invalid, "\(identity) has no key \(identifier.hexadecimal)")
        }
        guard !key.isRevoked else { throw Rejection(.conflict, "this key is already revoked") }
    }

    mutating func revoke(_ identifier: [UInt8]) { keys[identifier]?.isRevoked = true }
}
