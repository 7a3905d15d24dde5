/// How one direction between two nodes is at present.
public struct LinkCondition: Sendable, Equatable {
    public enum Cut: String, Sendable, CaseIterable {
        /// Connections that the sender has dialled are closed, and new ones refused: a process that is gone, a
        /// firewall that answers.
        case closed
        /// Nothing arrives and nobody is told: a cable that was pulled. What is sent meanwhile arrives when the cut
        /// ends, as TCP would send it again, unless one of the ends has given the connection up.
        case silent
    }

    public var cut: Cut?
    /// How long bytes travel, in milliseconds: each chunk somewhere in this range, none overtaking another.
    public var delayMilliseconds: ClosedRange<Int64>?
    /// The chance that a chunk is lost.
    ///
    /// Bytes taken out of a stream would only break TLS; a lost packet shows in TCP as a pause. So a loss holds its
    /// chunk, and all behind it, for a retransmission timeout: 200 ms, doubling each time that the chunk is lost again.
    public var loss: Double = 0

    public init(cut: Cut? = nil, delayMilliseconds: ClosedRange<Int64>? = nil, loss: Double = 0) {
        self.cut = cut
        self.delayMilliseconds = delayMilliseconds
        self.loss = loss
    }

    public static let sound = LinkCondition()
    /// Another continent: 50 ms ± 20 ms.
    public static let far = LinkCondition(delayMilliseconds: 30...70)
}

extension LinkCondition: CustomStringConvertible {
    public var description: String {
        var words: [String] = []
        if let cut { words.append("cut (\(cut.rawValue))") }
        if let delayMilliseconds {
            words.append("\(delayMilliseconds.lowerBound) to \(delayMilliseconds.upperBound) ms")
        }
        if loss > 0 { words.append("\(Int((loss * 100).rounded())) % lost") }
        return words.isEmpty ? "sound" : words.joined(separator: ", ")
    }
}
