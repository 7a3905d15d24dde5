import Foundation

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
