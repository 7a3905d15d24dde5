public import Ledger
public import Replication

/// Votes that cost nothing: a keyed checksum in the place of Ed25519. Nobody in the simulator computes another's, so a
/// liar signs as itself alone.
public struct SimulatedVotes: VoteAuthority {
    public let committee: Committee

    public init(committee: Committee) { self.committee = committee }

    public func isValid(_ signature: [UInt8], by member: ReplicaID, over message: [UInt8]) -> Bool {
        guard Int(member.value) < committee.size, signature.count == SigningKey.signatureByteCount else {
            return false
        }
        return signature == sign(message, as: member)
    }

    public func commitMessage(for header: BlockHeader) -> [UInt8] { header.hash.bytes }

    func sign(_ message: [UInt8], as member: ReplicaID) -> [UInt8] {
        var sum: UInt64 = 0xCBF2_9CE4_8422_2325 ^ UInt64(member.value) &* 0x9E37_79B9_7F4A_7C15
        message.withUnsafeBytes { bytes in
            var offset = 0
            while offset + 8 <= bytes.count {
                sum =
                    (sum ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                    &* 0x0000_0100_0000_01B3
                sum ^= sum >> 29
                offset += 8
            }
            for byte in bytes[offset...] { sum = (sum ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        }
        sum ^= sum >> 31
        sum = sum &* 0xBF58_476D_1CE4_E5B9
        sum ^= sum >> 29
        var signature: [UInt8] = []
        signature.reserveCapacity(SigningKey.signatureByteCount)
        withUnsafeBytes(of: sum.bigEndian) { bytes in
            for _ in 0..<8 { signature.append(contentsOf: bytes) }
        }
        return signature
    }
}
