import Foundation
import Ledger
import TestSupport
import Testing

@testable import ledgerd

/// The lines of docs/formats.md and docs/auditing.md, against a node that runs.
@Suite struct `Plain tools` {
    @Test func `append an entry and check it, without ledgerd`() async throws {
        let ledger = try await ServedLedger.shared.value
        let directory = ledger.directory
        let document = """
            <?xml version="1.0" encoding="UTF-8"?>
            <kpis xmlns="urn:kpi-ledger:kpi:1" ledger="localhost/kpi" submitter="ci" id="plain" pipeline="p" run="1">
              <measure name="plain" unit="s" at="2026-11-22T10:15:00.250Z">312.5</measure>
            </kpis>

            """
        try directory.write(Array(document.utf8), "kpi.xml")
        try directory.shell("cp nodes/node1.crt node1.crt && cp clients/ci/ci.crt clients/ci/ci.key .")

        try directory.shell(
            #"""
            openssl cms -encrypt -binary -outform DER -aes-256-gcm -in kpi.xml -out sealed.der \
              -recip node1.crt -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha256
            openssl cms -sign -binary -nodetach -nocerts -nosmimecap -keyid -econtent_type id-smime-ct-authEnvelopedData -md sha256 \
              -outform DER -signer ci.crt -inkey ci.key -in sealed.der -out entry.der
            """#)
        let answer = try directory.shell(
            """
            curl -s -D headers --cacert ledger-ca.crt --data-binary @entry.der -H 'Content-Type: application/cms' \
              \(ledger.url)/v1/entries
            """)
        let headers = String(decoding: try directory.read("headers"), as: UTF8.self)
        #expect(headers.contains(" 201"), "\(headers)\(answer)")
        let receipt = try Receipt(parsing: Array(answer.utf8))
        #expect(headers.lowercased().contains("location: /v1/entries/\(receipt.index)"))

        try directory.write(Array(answer.utf8), "plain.receipt")
        try ledger.run("verify-receipt", "plain.receipt", "--entry", "entry.der").expecting(0)

        let token = try ledger.run("token", "--role", "auditor").expecting(0).output
            .trimmingCharacters(in: .whitespacesAndNewlines)
        for part in ["statement", "payload"] {
            try directory.shell(
                """
                curl -sf --cacert ledger-ca.crt -H "Authorization: Bearer \(token)" -o \(part).der \
                  \(ledger.url)/v1/entries/\(receipt.index)/\(part)
                """)
        }
        let height = receipt.checkpoint.checkpoint.height
        let line = try directory.shell(
            "curl -sf --cacert ledger-ca.crt '\(ledger.url)/v1/blocks?from=\(height)&to=\(height)'")
        struct Block: Decodable { let header: Data }
        let block = try JSONDecoder().decode(Block.self, from: Data(line.utf8))
        let seconds = try BlockHeader(decoding: [UInt8](block.header)).seconds
        try directory.shell(
            """
            openssl cms -verify -binary -inform DER -in statement.der -content payload.der -certfile ci.crt -CAfile ci.crt \
              -partial_chain -purpose any -attime \(seconds) -out /dev/null
            """)
        try directory.shell("printf x >> payload.der")
        #expect(throws: ToolFailure.self) {
            try directory.shell(
                """
                openssl cms -verify -binary -inform DER -in statement.der -content payload.der -certfile ci.crt \
                  -CAfile ci.crt -partial_chain -purpose any -attime \(seconds) -out /dev/null
                """)
        }
    }
}
