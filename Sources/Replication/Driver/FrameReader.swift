import Ledger
import NIOCore

/// Cuts what a connection brings into frames. A length that is over the limit of its kind ends the connection before
/// anything is set aside for it.
///
/// Lives on one event loop.
final class FrameReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = Frame

    private var pending = ByteBuffer()
    private let admits: (Frame.Head) -> Bool

    /// - Parameter admits: whether a frame may come now; else the connection ends.
    init(admits: @escaping (Frame.Head) -> Bool) { self.admits = admits }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var piece = unwrapInboundIn(data)
        pending.writeBuffer(&piece)
        do {
            while let frame = try nextFrame() { context.fireChannelRead(wrapInboundOut(frame)) }
        } catch {
            context.fireErrorCaught(error)
            context.close(promise: nil)
            return
        }
        pending.discardReadBytes()
    }

    private func nextFrame() throws(DecodingFailure) -> Frame? {
        let start = pending.readerIndex
        guard let length = pending.getInteger(at: start, as: UInt32.self),
            let kind = pending.getInteger(at: start + 4, as: UInt8.self)
        else { return nil }
        let head = try Frame.Head(length: length, kind: kind)
        guard admits(head) else {
            throw DecodingFailure("a frame of kind \(head.kind) was not asked for", at: 4)
        }
        guard pending.readableBytes >= Frame.headBytes + head.bodyBytes else { return nil }
        pending.moveReaderIndex(forwardBy: Frame.headBytes)
        let body = pending.readBytes(length: head.bodyBytes) ?? []
        return Frame(kind: head.kind, body: body)
    }
}
