import ArgumentParser
import Foundation
import Ledger

/// `ledgerd enroll`: a key begins, or ends, to act for an identity.
struct EnrollCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enroll",
        abstract: "Enrol a key for an identity, or revoke one.",
        discussion: """
            Signed by an operator. A key acts from the next block on, for one identity, for ever. Identities are \
            pseudonyms: public and never erased, so put no name of a person into one.
            """)

    @OptionGroup var client: ClientOptions

    @Argument(help: "The identity.")
    var name: String

    @Option(name: .customLong("role"), help: "What the key may do (repeatable).", transform: Role.option)
    var roles: [Role] = []

    @Option(help: "The key's certificate, PEM, with a subject key identifier.")
    var certificate: String?

    @Option(help: "Revoke the key with this subject key identifier, in hexadecimal, instead.")
    var revoke: String?

    @Option(help: "Why it is revoked: public, for ever.")
    var reason: String?

    @Option(help: "text or json.")
    var format: OutputFormat = .text

    func validate() throws {
        if revoke == nil {
            guard certificate != nil, !roles.isEmpty else {
                throw ValidationError("Name the --certificate and a --role, or --revoke KEYID.")
            }
        } else {
            guard certificate == nil, roles.isEmpty else {
                throw ValidationError("--revoke takes a --reason, no certificate and no role.")
            }
            guard reason?.isEmpty == false else { throw ValidationError("--revoke needs a --reason.") }
            _ = try keyIdentifier()
        }
    }

    private func keyIdentifier() throws -> [UInt8] {
        let digits = Array((revoke ?? "").utf8.filter { $0 != UInt8(ascii: ":") })
        let bytes = stride(from: 0, to: digits.count, by: 2).compactMap { start -> UInt8? in
            guard start + 2 <= digits.count else { return nil }
            return UInt8(String(decoding: digits[start..<start + 2], as: UTF8.self), radix: 16)
        }
        guard !bytes.isEmpty, bytes.count * 2 == digits.count, bytes.count <= Limits.keyIdentifierBytes else {
            throw ValidationError("--revoke “\(revoke ?? "")” is not a key identifier in hexadecimal.")
        }
        return bytes
    }

    private func action() throws -> GovernanceRecord.Action {
        guard let path = certificate else {
            return .revoke(identity: name, keyIdentifier: try keyIdentifier(), reason: reason ?? "")
        }
        do {
            let read = try KeyCertificate(pem: CommandFailure.reading(path, limitBytes: Limits.pemBytes))
            return .enrol(Enrolment(identity: name, roles: roles, certificate: read.der))
        } catch let error as EnvelopeError {
            throw CommandFailure(
                .wrongUsage, "\(path) cannot be enrolled: \(error.reason)",
                remedy: "It is RSA of 3072 bits or P-256, with a subject key identifier.")
        }
    }

    func run() async throws {
        let context = try await client.resolve()
        let identity = try context.identity(orOwn: "operator")
        let policy = try context.policy()
        let action = try action()
        try await context.withClient(.certificate(identity)) { client in
            let genesis = try await context.genesis(from: client, policy)
            let receipt = try await GovernanceSender(
                client: client, policy: policy, genesis: genesis, identity: identity
            ).send(action)
            try GovernanceReport.print(
                receipt, format,
                "\(name) is \(revoke == nil ? "enrolled" : "revoked"), from the next block on")
        }
    }
}

/// What a governance command says in the end.
enum GovernanceReport {
    private struct Line: Encodable {
        let index: UInt64
        let receipt: String
    }

    static func print(_ receipt: Receipt, _ format: OutputFormat, _ sentence: String) throws {
        switch format {
        case .text: Swift.print("entry \(receipt.index): \(sentence)")
        case .json:
            try Terminal.printJSON(
                Line(index: receipt.index.value, receipt: String(decoding: receipt.bytes, as: UTF8.self)))
        }
    }
}
