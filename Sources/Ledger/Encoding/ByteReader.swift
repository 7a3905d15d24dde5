/// Bytes that do not decode: what was read, and where in the input.
public struct DecodingFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public let reason: String
    /// Counted from the first byte of the input.
    public let offset: Int

    public init(_ reason: String, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    public var description: String { "\(reason) at byte \(offset)" }
}

/// Reads what `ByteWriter` wrote. Never traps on any input.
public struct ByteReader: Sendable {
    /// The whole input.
    public let bytes: [UInt8]
    @usableFromInline var position = 0
    @inlinable public var offset: Int { position }

    @inlinable public init(_ bytes: [UInt8]) { self.bytes = bytes }

    @inlinable public var remaining: Int { bytes.count - position }

    /// Inlinable for the same reason as `ByteWriter`.
    @inlinable public mutating func read<Value: FixedWidthInteger & UnsignedInteger>(
        _ type: Value.Type, _ what: String
    ) throws(DecodingFailure) -> Value {
        let width = Value.bitWidth / 8
        guard remaining >= width else { throw DecodingFailure("\(what) is cut short", at: offset) }
        var value: Value = 0
        for place in position..<position + width {
            // A one-byte integer cannot be shifted by eight; the first round has nothing to shift.
            value = width == 1 ? 0 : value << 8
            value |= Value(truncatingIfNeeded: bytes[place])
        }
        position += width
        return value
    }

    /// The same for one byte, without a loop: varints are made of them.
    @inlinable public mutating func readByte(_ what: String) throws(DecodingFailure) -> UInt8 {
        guard position < bytes.count else { throw DecodingFailure("\(what) is cut short", at: offset) }
        defer { position += 1 }
        return bytes[position]
    }

    public mutating func readBytes(_ count: Int, _ what: String) throws(DecodingFailure) -> [UInt8] {
        guard count >= 0, remaining >= count else {
            throw DecodingFailure("\(what) is cut short", at: offset)
        }
        let piece = Array(bytes[offset..<offset + count])
        position += count
        return piece
    }

    /// Steps over some bytes, and says where in the input they lie.
    @inlinable public mutating func skip(
        _ count: Int, _ what: String
    ) throws(DecodingFailure) -> Range<Int> {
        guard count >= 0, remaining >= count else {
            throw DecodingFailure("\(what) is cut short", at: offset)
        }
        defer { position += count }
        return position..<position + count
    }

    public mutating func readDigest(_ what: String) throws(DecodingFailure) -> Digest {
        let bytes = try readBytes(Digest.byteCount, what)
        guard let digest = Digest(bytes) else { throw DecodingFailure("\(what) is not a digest", at: offset) }
        return digest
    }

    /// `u32 length ‖ bytes`, refused above `limitBytes` before anything is allocated.
    public mutating func readSized(_ what: String, limitBytes: Int) throws(DecodingFailure) -> [UInt8] {
        let count = try read(UInt32.self, what)
        guard Int(count) <= limitBytes else {
            throw DecodingFailure("\(what) of \(count) bytes is over the limit of \(limitBytes)", at: offset)
        }
        return try readBytes(Int(count), what)
    }

    public mutating func readSizedText(_ what: String, limitBytes: Int) throws(DecodingFailure) -> String {
        let bytes = try readSized(what, limitBytes: limitBytes)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw DecodingFailure("\(what) is not UTF-8", at: offset)
        }
        return text
    }

    public func finish() throws(DecodingFailure) {
        guard remaining == 0 else { throw DecodingFailure("\(remaining) bytes too many", at: offset) }
    }
}

extension ByteReader {
    /// Reads a whole array with `body` and insists that nothing is left over.
    public static func decode<Value>(
        _ bytes: [UInt8], _ body: (inout ByteReader) throws(DecodingFailure) -> Value
    ) throws(DecodingFailure) -> Value {
        var reader = ByteReader(bytes)
        let value = try body(&reader)
        try reader.finish()
        return value
    }
}
