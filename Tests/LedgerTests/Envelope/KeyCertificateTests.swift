import Ledger
import TestSupport
import Testing

@Suite struct `A key certificate` {
    private let identities: TestIdentities

    init() throws { identities = try TestIdentities.shared() }

    @Test func `says what openssl says of it`() throws {
        let directory = try TemporaryDirectory()
        for identity in [identities.rsa, identities.p256] {
            try identity.write(to: directory)
            let certificate = identity.certificate
            let text = try directory.shell(
                "openssl x509 -in \(identity.name).crt -noout -ext subjectKeyIdentifier | tail -1 "
                    + "| tr -d ' :\\n' | tr A-F a-f")
            #expect(text == certificate.keyIdentifier.hexadecimal)
            try directory.shell(
                "openssl x509 -in \(identity.name).crt -noout -pubkey | openssl pkey -pubin -outform DER -out key.der"
            )
            #expect(try directory.read("key.der") == certificate.publicKeyInfo)
            try directory.shell("openssl x509 -in \(identity.name).crt -outform DER -out der")
            #expect(try KeyCertificate(der: try directory.read("der")) == certificate)
            #expect(certificate.notAfter.milliseconds - certificate.notBefore.milliseconds == 30 * 86_400_000)
            let seconds = try directory.shell(
                "date -u -d \"$(openssl x509 -in \(identity.name).crt -noout -startdate | cut -d= -f2)\" +%s")
            #expect(seconds == "\(certificate.notBefore.seconds)\n")
            #expect(certificate.isValid(at: certificate.notBefore))
            #expect(certificate.isValid(at: certificate.notAfter))
            #expect(!certificate.isValid(at: certificate.notBefore.advanced(byMilliseconds: -1)))
            #expect(!certificate.isValid(at: certificate.notAfter.advanced(byMilliseconds: 1)))
        }
        #expect(identities.rsa.certificate.kind == .rsa(bits: 3072))
        #expect(identities.p256.certificate.kind == .p256)
    }

    @Test func `may have text around it in PEM`() throws {
        let certificate = identities.rsa.certificate
        let text = Array("subject=CN = ci\n".utf8) + identities.rsa.certificatePEM
        #expect(try KeyCertificate(pem: text + identities.p256.certificatePEM) == certificate)
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
        #expect(try KeyCertificate(pem: Array(lines.joined(separator: "\r\n").utf8)) == certificate)
        for pem in [[], Array("-----BEGIN CERTIFICATE-----".utf8), identities.rsa.keyPEM, certificate.der] {
            #expect(throws: EnvelopeError.self) { try KeyCertificate(pem: pem) }
        }
    }

    @Test(arguments: [
        "rsa:2048", "ec -pkeyopt ec_paramgen_curve:P-384", "ed25519", "rsa-pss -pkeyopt rsa_keygen_bits:3072",
        "ec -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit",
        "rsa:3072 -pkeyopt rsa_keygen_pubexp:3",
    ])
    func `is refused for a key of another kind`(algorithm: String) throws {
        let directory = try TemporaryDirectory()
        try directory.shell(
            "openssl req -x509 -newkey \(algorithm) -nodes -keyout key -out crt -subj /CN=x -days 30")
        let certificate = #expect(throws: EnvelopeError.self) {
            try KeyCertificate(pem: try directory.read("crt"))
        }
        #expect(certificate?.code == .badCertificate)
        let key = #expect(throws: EnvelopeError.self) { try IdentityKey(pem: try directory.read("key")) }
        #expect(key?.code == .badKey)
    }

    @Test func `is refused without a key identifier`() throws {
        let directory = try TemporaryDirectory()
        try identities.p256.write(to: directory)
        try directory.shell(
            "printf '[req]\\ndistinguished_name=d\\nx509_extensions=e\\n[d]\\n[e]\\nsubjectKeyIdentifier=none\\n' > c; "
                + "openssl req -x509 -config c -key ec.key -out crt -subj /CN=x -days 30")
        let error = #expect(throws: EnvelopeError.self) { try KeyCertificate(pem: try directory.read("crt")) }
        #expect(error?.code == .badCertificate)
    }

    @Test func `never traps on damaged bytes`() {
        var generator = SeededGenerator(seed: 3)
        for identity in [identities.rsa, identities.p256] {
            let der = identity.certificate.der
            for count in der.indices {
                #expect(throws: EnvelopeError.self) { try KeyCertificate(der: Array(der.prefix(count))) }
            }
            #expect(throws: EnvelopeError.self) { try KeyCertificate(der: der + [0]) }
            for _ in 0..<2000 {
                _ = try? KeyCertificate(der: der.damaged(by: &generator))
                _ = try? KeyCertificate(pem: identity.certificatePEM.damaged(by: &generator))
            }
        }
    }

    @Test func `has a private key in any of the usual forms, without a passphrase`() throws {
        let directory = try TemporaryDirectory()
        for identity in [identities.rsa, identities.p256] {
            try identity.write(to: directory)
            let algorithm = identity.name == "ec" ? "ec" : "rsa"
            let traditional = algorithm == "rsa" ? "-traditional" : ""
            try directory.shell("openssl \(algorithm) -in \(identity.name).key -out old.key \(traditional)")
            let old = try directory.read("old.key")
            #expect(
                String(decoding: old, as: UTF8.self).contains("BEGIN \(algorithm.uppercased()) PRIVATE KEY"))
            #expect(try IdentityKey(pem: old).matches(identity.certificate))
            try directory.shell(
                "openssl pkcs8 -topk8 -in \(identity.name).key -passout pass:secret -out locked.key")
            #expect(throws: EnvelopeError.self) { try IdentityKey(pem: try directory.read("locked.key")) }
        }
        #expect(try !identities.rsa.signingKey().matches(identities.otherRSA.certificate))
        #expect(try !identities.rsa.signingKey().matches(identities.p256.certificate))
        #expect(throws: EnvelopeError.self) { try DecryptionKey(pem: identities.p256.keyPEM) }
        for pem in [[], [0x30], Array("-----BEGIN PRIVATE KEY-----\n".utf8), identities.rsa.certificatePEM] {
            #expect(throws: EnvelopeError.self) { try IdentityKey(pem: pem) }
        }
    }
}
