internal import Glibc

/// The keys of payloads, in a file of their own, in slots that an erasure overwrites in place.
///
/// LMDB never overwrites: its free pages keep what was deleted. Keys that must be destroyed therefore lie here.
/// A slot is 128 bytes, so none crosses a sector and a torn write cannot mix two:
///
///     data key 32 ‖ content-encryption key 32 ‖ check 32 ‖ zero 32
///
/// `check` is `SHA256(04 ‖ slot number u64 ‖ data key ‖ content-encryption key)`. An erased slot holds 128 bytes of
/// FF; one never written, zeros.
///
/// Safe to share: `pread` and `pwrite` carry their own offsets; one writer, the ledger's.
public final class KeySlots: Sendable {
    /// Both keys of one payload.
    public struct Keys: Hashable, Sendable {
        /// Seals the payload where it lies (32 bytes).
        public let dataKey: [UInt8]
        /// Opens the payload's CMS content, whoever it was wrapped for (32 bytes).
        public let contentKey: [UInt8]

        public init(dataKey: [UInt8], contentKey: [UInt8]) {
            self.dataKey = dataKey
            self.contentKey = contentKey
        }

        /// From what the journal holds, one behind the other; `nil` where these are not the bytes of two keys.
        init?(bytes: [UInt8]) {
            guard bytes.count == 2 * KeySlots.keyBytes else { return nil }
            self.init(
                dataKey: Array(bytes.prefix(KeySlots.keyBytes)),
                contentKey: Array(bytes.suffix(KeySlots.keyBytes)))
        }
    }

    public enum Slot: Hashable, Sendable {
        case held(Keys)
        case erased
        /// Never written, or not to the end.
        case absent
    }

    private static let slotBytes = 128
    private static let keyBytes = 32
    /// More than any disk holds.
    static let slotLimit: UInt64 = 1 << 48
    private let file: DiskFile
    private let reserve: Reserve

    /// Whether nothing was ever written to the file.
    var isEmpty: Bool {
        get throws(StoreError) {
            try file.byteCount == 0
        }
    }

    /// Opens the file, making it where there is none and `writing` allows.
    public init(path: String, writing: Bool) throws(StoreError) {
        file = try DiskFile(path: path, flags: writing ? O_RDWR | O_CREAT : O_RDONLY)
        reserve = Reserve(of: file.descriptor)
    }

    public func read(_ number: UInt64) throws(StoreError) -> Slot {
        guard number < Self.slotLimit else { return .absent }
        let bytes = try file.read(Self.slotBytes, at: Self.offset(number))
        guard bytes.count == Self.slotBytes else { return .absent }
        if bytes.allSatisfy({ $0 == 0xFF }) { return .erased }
        let keys = Keys(dataKey: Array(bytes[0..<32]), contentKey: Array(bytes[32..<64]))
        return Array(bytes[64..<96]) == Self.check(number, keys).bytes ? .held(keys) : .absent
    }

    /// Writes the keys of consecutive slots. Durable only after `flush`.
    ///
    /// - Precondition: both keys have 32 bytes.
    public func write(_ keys: [Keys], from number: UInt64) throws(StoreError) {
        guard !keys.isEmpty else { return }
        var writer = ByteWriter(capacity: keys.count * Self.slotBytes)
        for (position, pair) in keys.enumerated() {
            precondition(pair.dataKey.count == Self.keyBytes, "a data key has 32 bytes")
            precondition(pair.contentKey.count == Self.keyBytes, "a content-encryption key has 32 bytes")
            writer.write(pair.dataKey)
            writer.write(pair.contentKey)
            writer.write(Self.check(number + UInt64(position), pair))
            writer.write(Digest.zero)
        }
        reserve.grow(past: Self.offset(number) + writer.bytes.count)
        try file.write(writer.bytes, at: Self.offset(number))
    }

    /// Overwrites a slot, so that neither key can be read again. Durable only after `flush`.
    public func erase(_ number: UInt64) throws(StoreError) {
        try file.write([UInt8](repeating: 0xFF, count: Self.slotBytes), at: Self.offset(number))
    }

    /// Returns when everything written is on the disk.
    public func flush() throws(StoreError) { try file.flush() }

    private static func offset(_ number: UInt64) -> Int { Int(number) * slotBytes }

    private static func check(_ number: UInt64, _ keys: Keys) -> Digest {
        Digest.sha256 { hash in
            hash.update(4)
            hash.update(bigEndian: number)
            hash.update(keys.dataKey)
            hash.update(keys.contentKey)
        }
    }
}

extension KeySlots: JournalCompanion {
    var name: String { "keys" }

    func put(_ key: [UInt8], _ value: [UInt8]) throws(StoreError) {
        let number: UInt64
        do throws(DecodingFailure) { number = try UInt64(keyBytes: key) } catch {
            throw .damaged(place: file.path, reason: "the journal names no slot: \(error)")
        }
        guard let keys = Keys(bytes: value) else {
            throw .damaged(place: file.path, reason: "the journal holds no keys for slot \(number)")
        }
        // Slots follow each other, and those before the journal's first were flushed.
        guard number <= UInt64(try file.byteCount / Self.slotBytes) else {
            throw .damaged(place: file.path, reason: "it is shorter than it was")
        }
        try write([keys], from: number)
    }
}
