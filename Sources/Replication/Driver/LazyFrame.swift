import Ledger
import NIOCore

/// What waits a little for a peer whose clients do not wait for it: a COMMIT, or a certificate. That for a later block
/// settles the same and more, and takes its place (docs/decisions/0012-what-nobody-waits-for.md).
struct LazyFrame: Sendable {
    /// Of a block, among all that were proposed.
    struct Place: Hashable, Sendable {
        let view: View
        let height: BlockHeight
    }

    private var held: (place: Place, bytes: ByteBuffer)?
    /// Clients of the peer wait for blocks up to here.
    private var awaited = BlockHeight.genesis

    var isEmpty: Bool { held == nil }

    /// Takes what settles a block.
    ///
    /// - Parameter isPressing: whether it leaves now, whoever waits.
    /// - Returns: What leaves now.
    mutating func settle(_ place: Place, with bytes: ByteBuffer, isPressing: Bool) -> [ByteBuffer] {
        var leaving: [ByteBuffer] = []
        if let held, held.place.view != place.view || held.place.height > place.height {
            leaving.append(held.bytes)
        }
        held = nil
        if isPressing || place.height <= awaited {
            leaving.append(bytes)
        } else {
            held = (place, bytes)
        }
        return leaving
    }

    /// The peer says for what its clients wait.
    ///
    /// - Returns: What leaves now.
    mutating func note(_ awaited: Awaited) -> [ByteBuffer] {
        self.awaited = max(self.awaited, awaited.height)
        guard let held, held.place.height <= awaited.height else { return [] }
        return release()
    }

    /// - Returns: What was held.
    mutating func release() -> [ByteBuffer] {
        defer { held = nil }
        return held.map { [$0.bytes] } ?? []
    }
}
