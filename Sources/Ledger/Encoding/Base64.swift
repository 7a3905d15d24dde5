/// Base64 (RFC 4648 §4), read in its one form only: padded, no white space, unused bits zero.
public enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")
    /// The value of each ASCII byte; 255 where it is no digit.
    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 255, count: 256)
        for (value, character) in alphabet.enumerated() { table[Int(character)] = UInt8(value) }
        return table
    }()

    public static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var position = 0
        while position < bytes.count {
            let count = min(3, bytes.count - position)
            var group: UInt32 = 0
            for offset in 0..<3 {
                group = group << 8 | (offset < count ? UInt32(bytes[position + offset]) : 0)
            }
            for digit in 0..<4 {
                text.append(digit <= count ? alphabet[Int(group >> UInt32(18 - 6 * digit) & 63)] : padding)
            }
            position += 3
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// `nil` for anything that `encode` would not have written.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 4 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 4 * 3)
        for start in stride(from: 0, to: digits.count, by: 4) {
            var quad = digits[start..<start + 4]
            var padded = 0
            if start + 4 == digits.count {
                while padded < 2, quad.last == padding {
                    quad.removeLast()
                    padded += 1
                }
            }
            var group: UInt32 = 0
            for digit in quad {
                let value = values[Int(digit)]
                guard value != 255 else { return nil }
                group = group << 6 | UInt32(value)
            }
            group <<= UInt32(6 * padded)
            // Bits that no byte takes must be zero, or one value would have several texts.
            guard group & (padded == 0 ? 0 : padded == 1 ? 0xFF : 0xFFFF) == 0 else { return nil }
            for byte in 0..<3 - padded {
                bytes.append(UInt8(truncatingIfNeeded: group >> UInt32(16 - 8 * byte)))
            }
        }
        return bytes
    }
}
