import Ledger

/// What has one encoding between nodes. Written by hand, big-endian, with stated widths; reading never traps, and never
/// allocates more than what was received.
protocol WireValue {
    func write(to writer: inout ByteWriter)
    init(from reader: inout ByteReader) throws(DecodingFailure)
    /// About what it takes: memory for megabytes is set aside once.
    var expectedBytes: Int { get }
}

extension WireValue {
    var expectedBytes: Int { 256 }

    var wireBytes: [UInt8] {
        var writer = ByteWriter(capacity: expectedBytes)
        write(to: &writer)
        return writer.bytes
    }

    init(wireBytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(wireBytes) { reader throws(DecodingFailure) in try Self(from: &reader) }
    }
}

extension ByteWriter {
    mutating func write(_ value: some WireValue) { value.write(to: &self) }

    /// `00`, or `01 ‖ value`.
    mutating func write(_ value: (some WireValue)?) {
        write(UInt8(value == nil ? 0 : 1))
        value?.write(to: &self)
    }

    /// `u16 count ‖ values`.
    ///
    /// - Precondition: fewer than 2¹⁶, which limits assure long before.
    mutating func writeCounted(_ values: [some WireValue]) {
        write(UInt16(values.count))
        for value in values { value.write(to: &self) }
    }
}

extension ByteReader {
    mutating func readOptional<Value: WireValue>(
        _ type: Value.Type, _ what: String
    ) throws(DecodingFailure) -> Value? {
        try readFlag(what) ? try Value(from: &self) : nil
    }

    mutating func readCounted<Value: WireValue>(
        _ type: Value.Type, _ what: String, limit: Int
    ) throws(DecodingFailure) -> [Value] {
        let start = offset
        let count = Int(try read(UInt16.self, "number of \(what)"))
        guard count <= limit else {
            throw DecodingFailure("\(count) \(what) are over the limit of \(limit)", at: start)
        }
        var values: [Value] = []
        for _ in 0..<count { values.append(try Value(from: &self)) }
        return values
    }

    mutating func readFlag(_ what: String) throws(DecodingFailure) -> Bool {
        let start = offset
        switch try read(UInt8.self, what) {
        case 0: return false
        case 1: return true
        default: throw DecodingFailure("\(what) is neither 0 nor 1", at: start)
        }
    }

    /// A height or a view: one can add to it without overflow.
    mutating func readSequence(_ what: String) throws(DecodingFailure) -> UInt64 {
        let start = offset
        let value = try read(UInt64.self, what)
        guard value <= Ledger.Limits.sequenceNumber else {
            throw DecodingFailure("\(what) is over the limit", at: start)
        }
        return value
    }

    mutating func readView() throws(DecodingFailure) -> View { View(try readSequence("view")) }
    mutating func readHeight() throws(DecodingFailure) -> BlockHeight {
        BlockHeight(try readSequence("height"))
    }
    mutating func readMember() throws(DecodingFailure) -> ReplicaID {
        ReplicaID(try read(UInt16.self, "member"))
    }
    mutating func readSignature() throws(DecodingFailure) -> [UInt8] {
        try readBytes(SigningKey.signatureByteCount, "signature")
    }
}
