import Ledger
import Synchronization

/// An electorate that checks no signature twice. The votes in a certificate came one by one before it, the claims in a
/// NEW-VIEW as VIEW-CHANGEs; and when a view changes, every node is shown the same signatures by all others.
///
/// Only valid signatures are remembered: a liar can make it forget, and cannot make it believe.
final class RememberingElectorate: VoteAuthority {
    /// Two generations, so that forgetting costs nothing: the older is dropped when the younger is full.
    private struct Memory: Sendable {
        var young: Set<Digest> = []
        var old: Set<Digest> = []

        mutating func insert(_ digest: Digest) {
            if young.count >= Limits.rememberedSignatures {
                old = young
                young = []
            }
            young.insert(digest)
        }
    }

    let electorate: Electorate
    private let memory = Mutex(Memory())
    private let checks = Atomic<UInt64>(0)
    /// What was asked for last: the COMMITs for one block come together.
    private let newest = Mutex<(header: BlockHeader, message: [UInt8])?>(nil)

    init(_ electorate: Electorate) { self.electorate = electorate }

    var committee: Committee { electorate.committee }

    /// Signatures that were computed, rather than remembered.
    var checkCount: UInt64 { checks.load(ordering: .relaxed) }

    func commitMessage(for header: BlockHeader) -> [UInt8] {
        if let known = newest.withLock({ $0 }), known.header == header { return known.message }
        let message = electorate.commitMessage(for: header)
        newest.withLock { $0 = (header, message) }
        return message
    }

    func isValid(_ signature: [UInt8], by member: ReplicaID, over message: [UInt8]) -> Bool {
        // A signature has one length, so that no two triples are written alike.
        guard signature.count == SigningKey.signatureByteCount else { return false }
        var writer = ByteWriter()
        writer.write(member.value)
        writer.write(signature)
        writer.write(message)
        let digest = Digest.sha256(writer.bytes)
        if memory.withLock({ $0.young.contains(digest) || $0.old.contains(digest) }) { return true }
        checks.add(1, ordering: .relaxed)
        guard electorate.isValid(signature, by: member, over: message) else { return false }
        memory.withLock { $0.insert(digest) }
        return true
    }
}
