import NIOCore

extension Frame {
    /// As it goes to a connection.
    var buffer: ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(Self.headBytes + body.count)
        buffer.writeBytes(head)
        buffer.writeBytes(body)
        return buffer
    }
}
