/// Builds bytes, big-endian and with stated widths: every stored or signed thing is written with it, one way only.
///
/// Inlinable, because other modules keep tables too: a generic call that is not specialised costs ten times as much.
public struct ByteWriter: Sendable {
    @usableFromInline var written: [UInt8] = []
    @inlinable public var bytes: [UInt8] { written }

    @inlinable public init(capacity: Int = 0) { written.reserveCapacity(capacity) }

    @inlinable public mutating func write(_ value: some FixedWidthInteger & UnsignedInteger) {
        unsafe withUnsafeBytes(of: value.bigEndian) { unsafe written.append(contentsOf: $0) }
    }

    /// The same for one byte, without a loop: varints are made of them.
    @inlinable public mutating func writeByte(_ value: UInt8) { written.append(value) }

    @inlinable public mutating func write(_ value: some Sequence<UInt8>) { written.append(contentsOf: value) }

    /// Without an array of its own: there are several to each entry.
    @inlinable public mutating func write(_ digest: Digest) { digest.append(to: &written) }

    /// `u32 length ‖ bytes`.
    ///
    /// - Precondition: fewer than 2³² bytes; every length is bounded by `Limits` long before.
    @inlinable public mutating func writeSized(_ value: some Collection<UInt8>) {
        precondition(value.count <= Int(UInt32.max), "a sized field is shorter than 4 GiB")
        write(UInt32(value.count))
        write(value)
    }

    @inlinable public mutating func writeSized(_ text: String) { writeSized(text.utf8) }
}
