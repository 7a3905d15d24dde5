import SwiftASN1

/// `AlgorithmIdentifier` (RFC 5280 §4.1.1.2): an OID and, for some, parameters.
struct AlgorithmIdentifier {
    let algorithm: ASN1Node
    let parameters: ASN1Node?

    init(_ node: ASN1Node, _ what: String) throws(EnvelopeError) {
        var fields = try DERFields(node, .sequence, what)
        algorithm = try fields.next("OID")
        parameters = fields.isAtEnd ? nil : try fields.next("parameters")
        try fields.finish()
    }

    /// Absent and NULL are the same to every tool (RFC 5754 §2), so both are read; one is written.
    func isPlain(_ oid: OID) -> Bool {
        guard oid.matches(algorithm) else { return false }
        guard let parameters else { return true }
        return parameters.encodedBytes.elementsEqual([0x05, 0x00])
    }

    /// The algorithm must be SHA-256, with parameters absent or NULL.
    static func requireSHA256(_ node: ASN1Node, _ what: String) throws(EnvelopeError) {
        guard try AlgorithmIdentifier(node, what).isPlain(.sha256) else {
            throw EnvelopeError(.unsupported, "\(what) is not SHA-256", at: node.offset)
        }
    }
}
