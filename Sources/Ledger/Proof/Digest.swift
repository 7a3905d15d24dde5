import Crypto

/// A SHA-256 value: 32 bytes, kept inline, compared as bytes.
public struct Digest: Hashable, Sendable, BitwiseCopyable {
    /// Each as it lies in memory, so that a digest in memory is its 32 bytes.
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
            return value.bigEndian
        }
        words = (word(), word(), word(), word())
    }

    fileprivate init(_ digest: SHA256.Digest) {
        self = unsafe digest.withUnsafeBytes { unsafe $0.loadUnaligned(as: Digest.self) }
    }

    public var bytes: [UInt8] { unsafe withUnsafeBytes(of: self) { unsafe Array($0) } }

    /// The first eight bytes, as one big-endian number.
    var firstWord: UInt64 { words.0.bigEndian }

    @usableFromInline func append(to bytes: inout [UInt8]) {
        unsafe withUnsafeBytes(of: self) { unsafe bytes.append(contentsOf: $0) }
    }

    public static func == (left: Self, right: Self) -> Bool {
        // Word by word: the comparison of tuples is slow in debug builds, where the long tests run.
        left.words.0 == right.words.0 && left.words.1 == right.words.1 && left.words.2 == right.words.2
            && left.words.3 == right.words.3
    }

    public func hash(into hasher: inout Hasher) {
        // A digest is uniform already, so one word tells values apart.
        hasher.combine(words.0)
    }
}

extension Digest: Comparable {
    /// By the bytes, first to last.
    public static func < (left: Self, right: Self) -> Bool {
        func inOrder(_ words: (UInt64, UInt64, UInt64, UInt64)) -> (UInt64, UInt64, UInt64, UInt64) {
            (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
        }
        return inOrder(left.words) < inOrder(right.words)
    }
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

    /// `SHA256(prefix ‖ left ‖ right)`: the hash that a tree is made of, fed in one piece.
    static func sha256(prefix: UInt8, _ left: Digest, _ right: Digest) -> Digest {
        let input = PairInput(prefix: UInt64(prefix).bigEndian, left: left, right: right)
        var state = SHA256()
        unsafe withUnsafeBytes(of: input) { bytes in
            unsafe state.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[7...]))
        }
        return Digest(state.finalize())
    }

    /// The prefix is the last byte of its word: from there on the 65 bytes lie as they are hashed.
    private struct PairInput {
        let prefix: UInt64
        let left: Digest
        let right: Digest
    }

    /// A SHA-256 under way.
    public struct Hash: Sendable {
        private var state = SHA256()

        public init() {}

        public mutating func update(_ byte: UInt8) {
            unsafe withUnsafeBytes(of: byte) { unsafe state.update(bufferPointer: $0) }
        }
        public mutating func update(bigEndian number: UInt64) {
            unsafe withUnsafeBytes(of: number.bigEndian) { unsafe state.update(bufferPointer: $0) }
        }
        public mutating func update(_ bytes: [UInt8]) { state.update(data: bytes) }
        public mutating func update(_ bytes: RawSpan) {
            unsafe bytes.withUnsafeBytes { unsafe state.update(bufferPointer: $0) }
        }
        public mutating func update(_ digest: Digest) {
            unsafe withUnsafeBytes(of: digest) { unsafe state.update(bufferPointer: $0) }
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
