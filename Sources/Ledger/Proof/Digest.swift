import Crypto

/// A SHA-256 value: 32 bytes, kept inline, compared as bytes.
public struct Digest: Hashable, Sendable {
    private let words: (UInt64, UInt64, UInt64, UInt64)

    public static let byteCount = 32
    /// 32 zero bytes: "none", where a format wants a digest in any case.
    public static let zero = Digest(words: (0, 0, 0, 0))

    private init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

    /// `nil` unless there are exactly 32 bytes.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        var iterator = bytes.makeIterator()
        func word() -> UInt64 {
            var value: UInt64 = 0
            for _ in 0..<8 { value = value << 8 | UInt64(iterator.next() ?? 0) }
            return value
        }
        words = (word(), word(), word(), word())
    }

    fileprivate init(_ digest: SHA256.Digest) {
        words = unsafe digest.withUnsafeBytes { bytes in
            func word(_ offset: Int) -> UInt64 {
                UInt64(bigEndian: unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            }
            return (word(0), word(8), word(16), word(24))
        }
    }

    public var bytes: [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: Self.byteCount) { buffer, count in
            for (position, word) in [words.0, words.1, words.2, words.3].enumerated() {
                for byte in 0..<8 {
                    unsafe buffer[position * 8 + byte] = UInt8(
                        truncatingIfNeeded: word >> UInt64(56 - 8 * byte))
                }
            }
            count = Self.byteCount
        }
    }

    public static func == (left: Self, right: Self) -> Bool { left.words == right.words }

    public func hash(into hasher: inout Hasher) {
        // A digest is uniform already, so one word tells values apart.
        hasher.combine(words.0)
    }
}

extension Digest: Comparable {
    /// By the bytes, first to last.
    public static func < (left: Self, right: Self) -> Bool { left.words < right.words }
}

extension Digest: CustomStringConvertible {
    /// 64 lower-case hexadecimal digits.
    public var description: String { bytes.hexadecimal }
}

extension Digest {
    public static func sha256(_ bytes: [UInt8]) -> Digest { Digest(SHA256.hash(data: bytes)) }

    /// SHA-256 over several pieces in order, fed by `body`.
    public static func sha256(_ body: (inout Hash) -> Void) -> Digest {
        var hash = Hash()
        body(&hash)
        return hash.finish()
    }

    /// A SHA-256 under way.
    public struct Hash: Sendable {
        private var state = SHA256()

        public init() {}

        public mutating func update(_ byte: UInt8) {
            unsafe withUnsafeBytes(of: byte) { unsafe state.update(bufferPointer: $0) }
        }
        public mutating func update(_ bytes: [UInt8]) { state.update(data: bytes) }
        public mutating func update(_ bytes: RawSpan) {
            unsafe bytes.withUnsafeBytes { unsafe state.update(bufferPointer: $0) }
        }
        public mutating func update(_ digest: Digest) {
            unsafe withUnsafeBytes(
                of: (
                    digest.words.0.bigEndian, digest.words.1.bigEndian, digest.words.2.bigEndian,
                    digest.words.3.bigEndian
                )
            ) { unsafe state.update(bufferPointer: $0) }
        }

        public consuming func finish() -> Digest { Digest(state.finalize()) }
    }
}

extension Collection<UInt8> {
    /// Lower-case hexadecimal digits, two a byte.
    public var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(count * 2)
        for byte in self {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
