import AsyncHTTPClient
import Crypto
import Foundation
import JWTKit
import Ledger
import NIOHTTP1
import TestSupport
import Testing

@testable import ledgerd

@Suite struct `Access over HTTPS` {
    /// An address for each role, and one for all.
    private static let guarded: [(path: String, role: Role)] = [
        ("/v1/entries/0", .auditor), ("/v1/entries/0/statement", .auditor),
        ("/v1/entries/0/payload", .auditor),
        ("/v1/entries/0/proof", .auditor), ("/v1/entries/0/document", .auditor), ("/metrics", .operator),
        ("/v1/evidence", .operator),
        ("/api/v1/query?query=1", .analyst), ("/api/v1/query_range?query=1&start=0&end=1&step=1", .analyst),
        ("/api/v1/series?match%5B%5D=a", .analyst), ("/api/v1/labels", .analyst),
        ("/api/v1/metadata", .analyst),
        ("/api/v1/format_query?query=1", .analyst), ("/api/v1/label/a/values", .analyst),
        ("/api/v1/status/buildinfo", .analyst),
    ]

    private static let open = [
        "/checkpoint", "/tile/entries/000.p/1", "/tile/0/000.p/1", "/v1/consistency?from=1", "/v1/blocks",
        "/v1/nodes",
        "/v1/genesis", "/v1/policy", "/v1/policy?epoch=0", "/healthz", "/readyz",
    ]

    @Test func `asks for the role of each address`() async throws {
        try await ServedNode.run { served in
            try await served.append(try served.ledger.document(id: "a"))
            for path in Self.open { #expect(try await served.caller.get(path).status == 200, "\(path)") }
            for (path, role) in Self.guarded {
                let nobody = try await served.caller.get(path)
                #expect(nobody.status == 401, "\(path)")
                #expect(nobody.problem == "unauthenticated")
                #expect(nobody.headers["www-authenticate"] == ["Bearer realm=\"kpi-ledger\""])
                let right = try await served.ledger.token([role])
                #expect(try await served.caller.get(path, token: right).status == 200, "\(path)")
                let wrong = try await served.ledger.token(
                    [.analyst, .auditor, .operator, .dpo].filter { $0 != role })
                let answer = try await served.caller.get(path, token: wrong)
                #expect(answer.status == 403, "\(path)")
                #expect(answer.problem == "forbidden")
            }
        }
    }

    @Test func `takes a token as bearer and as the password of Basic`() async throws {
        try await ServedNode.run { served in
            let token = try await served.ledger.token([.analyst])
            func status(_ authorization: String) async throws -> Int {
                try await served.caller.get("/api/v1/labels", [("authorization", authorization)]).status
            }
            func basic(_ pair: String) -> String { Data(pair.utf8).base64EncodedString() }
            #expect(try await status("Bearer \(token)") == 200)
            #expect(try await status("bearer \(token)") == 200)
            #expect(try await status("Basic \(basic("x:\(token)"))") == 200)
            #expect(try await status("basic \(basic(":\(token)"))") == 200)
            let refused = [
                "", "Bearer", "Bearer ", token, "Basic", "Basic ????", "Basic \(basic("no colon"))",
                "Digest \(token)",
                "Basic \(basic("\(token):x"))", "Bearer \(token)x", "Bearer \(token).\(token)", "Bearer ..",
                "Bearer " + String(repeating: "a", count: 9000), "Negotiate a",
            ]
            for text in refused { #expect(try await status(text) == 401, "\(text.prefix(40))") }
            // What is shown and wrong is refused where nothing needed to be shown, too.
            #expect(try await served.caller.get("/healthz", token: "x").problem == "bad-token")
        }
    }

    @Test func `refuses every token but a fresh one that this ledger signed for itself`() async throws {
        try await ServedNode.run { served in
            let ledger = served.ledger
            let good = try await ledger.token([.analyst])
            func refuses(_ token: String, _ name: String) async throws {
                let answer = try await served.caller.get("/api/v1/labels", token: token)
                #expect(answer.problem == "bad-token", "\(name): \(answer.text)")
                #expect(answer.headers["www-authenticate"].first?.contains("invalid_token") == true)
            }
            try await refuses(ledger.token([.analyst], from: Date(timeIntervalSinceNow: -7200)), "expired")
            let key = ledger.ceremony.tokenKey
            func signed(_ claims: AccessClaims) async throws -> String {
                try await JWTKeyCollection().add(ecdsa: ES256PrivateKey(backing: key)).sign(claims)
            }
            func claims(iss: String? = nil, aud: [String]? = nil) -> AccessClaims {
                AccessClaims(
                    iss: .init(value: iss ?? ledger.origin), aud: .init(aud ?? [ledger.origin]),
                    sub: .init(value: "x"), roles: ["analyst"], iat: .init(value: Date()),
                    exp: .init(value: Date(timeIntervalSinceNow: 60)))
            }
            #expect(try await served.caller.get("/api/v1/labels", token: signed(claims())).status == 200)
            try await refuses(signed(claims(aud: ["other.com/kpi"])), "another audience")
            try await refuses(signed(claims(aud: [])), "no audience")
            try await refuses(
                signed(claims(aud: [ledger.origin, "other.com/kpi"])), "for others besides")
            try await refuses(signed(claims(iss: "other.com/kpi")), "another issuer")
            try await refuses(
                JWTKeyCollection().add(ecdsa: ES256PrivateKey()).sign(claims()), "another key")
            // The public key is public: a verifier that lets a token choose its algorithm takes it as a secret.
            for secret in [
                Data(key.publicKey.derRepresentation), Data(key.publicKey.pemRepresentation.utf8),
                key.publicKey.x963Representation, key.publicKey.rawRepresentation,
            ] {
                let forged = try await JWTKeyCollection()
                    .add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256).sign(claims())
                try await refuses(forged, "HS256 with the public key")
            }
            let parts = good.split(separator: ".").map(String.init)
            func encoded(_ json: String) -> String {
                Data(json.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
                    .replacing("=", with: "")
            }
            for header in [
                #"{"alg":"none"}"#, #"{"alg":"None","typ":"JWT"}"#, #"{"alg":"ES384"}"#, #"{"typ":"JWT"}"#,
                "{}", "[]", "",
                #"{"alg":"ES256","kid":"../../dev/null"}"#, #"{"alg":"ES256","jwk":{"kty":"EC"}}"#,
            ] {
                try await refuses("\(encoded(header)).\(parts[1]).", "\(header), unsigned")
                try await refuses("\(encoded(header)).\(parts[1]).\(parts[2])", header)
            }
            let more = encoded(
                #"{"iss":"\#(ledger.origin)","aud":"\#(ledger.origin)","sub":"x","roles":["operator"],"iat":0,"exp":99999999999}"#
            )
            try await refuses("\(parts[0]).\(more).\(parts[2])", "other claims")
            var random = SeededGenerator(seed: 7)
            let bytes = Array(good.utf8)
            for _ in 0..<100 {
                var damaged = bytes
                // The last character holds two bits that mean nothing.
                damaged[Int.random(in: 0..<bytes.count - 1, using: &random)] = UInt8.random(
                    in: 0x30...0x7A, using: &random)
                if damaged == bytes { continue }
                try await refuses(String(decoding: damaged, as: UTF8.self), "damage")
            }
        }
    }

    @Test(arguments: [false, true])
    func `knows an enrolled client by its certificate`(isHTTP2: Bool) async throws {
        try await ServedNode.run { served in
            let ledger = served.ledger
            let newcomer = MadeLedger.Signer(try Identities.shared().newcomers[1])
            func caller(_ signer: MadeLedger.Signer) throws -> Caller {
                try Caller(
                    port: served.port, ledger: ledger, identity: signer,
                    version: isHTTP2 ? .automatic : .http1Only)
            }
            let analyst = try caller(ledger.client("analyst"))
            let auditor = try caller(ledger.client("auditor"))
            let ci = try caller(ledger.client("ci"))
            let unknown = try caller(newcomer)
            try await served.append(try ledger.document(id: "a"))
            #expect(try await analyst.get("/api/v1/labels").status == 200)
            #expect(try await analyst.get("/v1/entries/0").status == 403)
            #expect(try await auditor.get("/v1/entries/0").status == 200)
            #expect(try await auditor.get("/api/v1/labels").status == 403)
            #expect(try await ci.get("/v1/entries/0/document").status == 200)
            #expect(try await unknown.get("/api/v1/labels").problem == "bad-token")

            try await served.govern(try ledger.enrol(newcomer, [.analyst], sequence: 1))
            #expect(try await unknown.get("/api/v1/labels").status == 200)
            try await served.govern(try ledger.revoke(newcomer, sequence: 2))
            #expect(try await unknown.get("/api/v1/labels").problem == "bad-token")
            for caller in [analyst, auditor, ci, unknown] { try await caller.end() }
        }
    }
}
