import SwiftASN1

/// The fields of a DER node, taken in order and by name; what is left over is refused by `finish`.
struct DERFields {
    private var iterator: ASN1NodeCollection.Iterator
    private var upcoming: ASN1Node?
    /// Where the node begins, for errors about what is missing in it.
    private let start: Int
    private let what: String

    /// - Parameter what: the noun that errors use.
    init(_ node: ASN1Node, _ identifier: ASN1Identifier, _ what: String) throws(EnvelopeError) {
        guard node.identifier == identifier, case .constructed(let children) = node.content else {
            throw EnvelopeError(.malformed, "\(what) has another tag than it must", at: node.offset)
        }
        iterator = children.makeIterator()
        upcoming = iterator.next()
        start = node.offset
        self.what = what
    }

    var isAtEnd: Bool { upcoming == nil }

    /// The next field, whatever its tag.
    mutating func next(_ field: String) throws(EnvelopeError) -> ASN1Node {
        guard let node = upcoming else {
            throw EnvelopeError(.malformed, "\(what) has no \(field)", at: start)
        }
        upcoming = iterator.next()
        return node
    }

    /// The next field if it has the tag.
    mutating func next(ifTagged identifier: ASN1Identifier) -> ASN1Node? {
        guard let node = upcoming, node.identifier == identifier else { return nil }
        upcoming = iterator.next()
        return node
    }

    mutating func nextFields(
        _ field: String, _ identifier: ASN1Identifier = .sequence
    ) throws(EnvelopeError) -> DERFields {
        try DERFields(try next(field), identifier, field)
    }

    /// The content of a primitive field.
    mutating func nextBytes(
        _ field: String, _ identifier: ASN1Identifier = .octetString
    ) throws(EnvelopeError) -> ArraySlice<UInt8> {
        let node = try next(field)
        guard node.identifier == identifier, case .primitive(let content) = node.content else {
            throw EnvelopeError(.malformed, "\(field) has another tag than it must", at: node.offset)
        }
        return content
    }

    /// An INTEGER of one byte that must have the one value.
    mutating func nextVersion(_ value: UInt8, _ field: String) throws(EnvelopeError) {
        let content = try nextBytes(field, .integer)
        guard content.elementsEqual([value]) else {
            throw EnvelopeError(.unsupported, "\(field) is not \(value)", at: content.startIndex)
        }
    }

    mutating func nextOID(_ oid: OID, _ field: String) throws(EnvelopeError) {
        let node = try next(field)
        guard oid.matches(node) else {
            throw EnvelopeError(.unsupported, "\(field) is another than it must be", at: node.offset)
        }
    }

    func finish() throws(EnvelopeError) {
        if let node = upcoming {
            throw EnvelopeError(
                .unsupported, "\(what) has a field that the ledger does not take", at: node.offset)
        }
    }
}

extension ASN1Node {
    /// Counted from the first byte of the input that was parsed.
    var offset: Int { encodedBytes.startIndex }
}

extension ASN1Identifier {
    static func context(_ number: UInt) -> ASN1Identifier {
        ASN1Identifier(tagWithNumber: number, tagClass: .contextSpecific)
    }
}

/// One DER value and nothing after it, of a bounded number of parts.
enum DERDocument {
    static func parse(_ bytes: [UInt8], _ what: String) throws(EnvelopeError) -> ASN1Node {
        try checkSize(bytes, what)
        do {
            return try DER.parse(bytes)
        } catch {
            throw EnvelopeError(.malformed, "\(what) is not DER: \(reason(error))")
        }
    }

    /// SwiftASN1 builds a tree of some hundred bytes a node before anything is known about it, so that a megabyte of
    /// empty values would cost fifty. The nodes are therefore counted first, without building anything; whatever
    /// else may be wrong with the bytes is found by the parser.
    private static func checkSize(_ bytes: [UInt8], _ what: String) throws(EnvelopeError) {
        var position = 0
        var nodes = 0
        while position < bytes.count {
            nodes += 1
            guard nodes <= Limits.derNodes else {
                throw EnvelopeError(
                    .tooLarge, "\(what) has more than \(Limits.derNodes) parts", at: position)
            }
            let (tag, lengthAt) = (bytes[position], position + 1)
            guard tag & 0x1F != 0x1F, lengthAt < bytes.count else {
                throw EnvelopeError(
                    .malformed, "\(what) is cut short or has a tag of several bytes", at: position)
            }
            var length = Int(bytes[lengthAt])
            var contentAt = lengthAt + 1
            if length == 0x80 {
                throw EnvelopeError(
                    .malformed, "\(what) is BER with an indefinite length; DER is needed", at: lengthAt)
            }
            if length > 0x80 {
                let digits = length & 0x7F
                guard digits <= 4, contentAt + digits <= bytes.count else {
                    throw EnvelopeError(
                        .malformed, "\(what) has a length that no input reaches", at: lengthAt)
                }
                length = bytes[contentAt..<contentAt + digits].reduce(0) { $0 << 8 | Int($1) }
                contentAt += digits
            }
            guard length <= bytes.count - contentAt else {
                throw EnvelopeError(.malformed, "\(what) is cut short", at: lengthAt)
            }
            let isConstructed = tag & 0x20 != 0
            position = isConstructed ? contentAt : contentAt + length
        }
    }

    private static func reason(_ error: any Error) -> String {
        // The full description names lines of SwiftASN1's source; only the code means something to a caller.
        (error as? ASN1Error).map { String(describing: $0.code) } ?? "it cannot be read"
    }
}
