import Foundation

/// A directory of its own, gone with the value.
final class TemporaryDirectory: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "envelope-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: url.appending(path: name))
    }

    func read(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: url.appending(path: name))) }
}

struct ToolFailure: Error, CustomStringConvertible {
    let command: String
    let status: Int32
    let output: String
    var description: String { "`\(command)` ended with \(status): \(output)" }
}

extension TemporaryDirectory {
    /// Runs a line of shell here, as a user would type it.
    @discardableResult
    func shell(_ line: String) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-ec", line]
        process.currentDirectoryURL = url
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw ToolFailure(command: line, status: process.terminationStatus, output: text)
        }
        return text
    }
}

/// The lines of formats.md 1 and 2.3, with the names of files filled in.
enum PlainTools {
    static func encrypt(
        _ document: String, to nodes: [String], output: String, options: String = ""
    ) -> String {
        let oaep = "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha256"
        let recipients = nodes.map { "-recip \($0).crt \(oaep)" }.joined(separator: " ")
        return
            "openssl cms -encrypt -binary -outform DER -aes-256-gcm \(options) -in \(document) -out \(output) "
            + recipients
    }

    static func sign(
        _ payload: String, as signers: [String], output: String,
        type: String = "id-smime-ct-authEnvelopedData",
        options: String = "-nocerts -nosmimecap -keyid"
    ) -> String {
        let keys = signers.map { "-signer \($0).crt -inkey \($0).key" }.joined(separator: " ")
        return
            "openssl cms -sign -binary -nodetach \(options) -econtent_type \(type) -md sha256 -outform DER \(keys) "
            + "-in \(payload) -out \(output)"
    }

    static func verify(_ statement: String, payload: String, signer: String) -> String {
        "openssl cms -verify -binary -inform DER -in \(statement) -content \(payload) -certfile \(signer).crt "
            + "-CAfile \(signer).crt -partial_chain -purpose any -attime $(date +%s) -out /dev/null"
    }
}
