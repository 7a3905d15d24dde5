import Ledger
import NIOCore
import Testing

@testable import Replication

/// COMMITs for a peer whose clients do not wait for them.
@Suite struct `What nobody waits for` {
    private func place(_ height: UInt64, in view: UInt64 = 1) -> LazyFrame.Place {
        .init(view: View(view), height: BlockHeight(height))
    }

    private func frame(_ number: UInt8) -> ByteBuffer { ByteBuffer(bytes: [number]) }

    @Test func `is held, and leaves when its time has come`() {
        var lazy = LazyFrame()
        #expect(lazy.settle(place(1), with: frame(1), isPressing: false).isEmpty)
        #expect(!lazy.isEmpty)
        #expect(lazy.release() == [frame(1)])
        #expect(lazy.isEmpty)
        #expect(lazy.release().isEmpty)
    }

    @Test(arguments: [true, false])
    func `gives way to what settles a later block, whether that is pressing or not`(isPressing: Bool) {
        var lazy = LazyFrame()
        _ = lazy.settle(place(1), with: frame(1), isPressing: false)
        let leaving = lazy.settle(place(2), with: frame(2), isPressing: isPressing)
        #expect(leaving + lazy.release() == [frame(2)])
        #expect(leaving.isEmpty != isPressing)
    }

    @Test func `gives way to its own repetition, and not to what settles less, or is of another view`() {
        var lazy = LazyFrame()
        _ = lazy.settle(place(2), with: frame(2), isPressing: false)
        #expect(lazy.settle(place(2), with: frame(2), isPressing: false).isEmpty)
        #expect(lazy.settle(place(1), with: frame(1), isPressing: false) == [frame(2)])
        #expect(lazy.settle(place(3, in: 2), with: frame(3), isPressing: true) == [frame(1), frame(3)])
    }

    @Test func `is not held from a peer whose clients wait for it`() {
        var lazy = LazyFrame()
        #expect(lazy.note(Awaited(height: BlockHeight(5))).isEmpty)
        #expect(lazy.settle(place(5), with: frame(5), isPressing: false) == [frame(5)])
        #expect(lazy.settle(place(6), with: frame(6), isPressing: false).isEmpty)
        #expect(lazy.note(Awaited(height: BlockHeight(5))).isEmpty)
        #expect(lazy.note(Awaited(height: BlockHeight(6))) == [frame(6)])
        // What was asked for before stays asked for.
        #expect(lazy.note(Awaited(height: BlockHeight(1))).isEmpty)
        #expect(lazy.settle(place(6), with: frame(6), isPressing: false) == [frame(6)])
    }
}
