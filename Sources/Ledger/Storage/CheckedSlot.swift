/// Bytes in a place of a file that is written over, with a check behind them: what was torn is known.
///
/// Layout: `body ‖ SHA256(tag ‖ body)`; the tag tells files apart, and the body says itself where it ends.
enum CheckedSlot {
    static func bytes(_ body: [UInt8], tag: UInt8) -> [UInt8] { body + check(body, tag).bytes }

    /// - Parameter body: reads it from the beginning of the slot.
    /// - Returns: `nil` for a slot that is torn, or was never written.
    static func read<Body>(
        _ slot: [UInt8], tag: UInt8, _ body: (inout ByteReader) throws(DecodingFailure) -> Body
    ) -> Body? {
        var reader = ByteReader(slot)
        do throws(DecodingFailure) {
            let found = try body(&reader)
            let checked = Array(slot.prefix(reader.offset))
            return try reader.readDigest("check") == check(checked, tag) ? found : nil
        } catch { return nil }
    }

    private static func check(_ body: [UInt8], _ tag: UInt8) -> Digest {
        Digest.sha256 { hash in
            hash.update(tag)
            hash.update(body)
        }
    }
}
