/// Builds bytes, big-endian and with stated widths: every stored or signed thing is written with it, one way only.
public struct ByteWriter: Sendable {
    public private(set) var bytes: [UInt8] = []

    public init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    public mutating func write(_ value: some FixedWidthInteger & UnsignedInteger) {
        var shift = value.bitWidth
        while shift > 0 {
            shift -= 8
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    public mutating func write(_ value: some Sequence<UInt8>) { bytes.append(contentsOf: value) }

    public mutating func write(_ digest: Digest) { bytes.append(contentsOf: digest.bytes) }

    /// `u32 length ‖ bytes`.
    ///
    /// - Precondition: fewer than 2³² bytes; every length is bounded by `Limits` long before.
    public mutating func writeSized(_ value: some Collection<UInt8>) {
        precondition(value.count <= Int(UInt32.max), "a sized field is shorter than 4 GiB")
        write(UInt32(value.count))
        write(value)
    }

    public mutating func writeSized(_ text: String) { writeSized(Array(text.utf8)) }
}
