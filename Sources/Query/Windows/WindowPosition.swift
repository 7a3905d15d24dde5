/// A place in the sequence of emissions of one continuous aggregate, `42.3`: the third that the log's 42nd entry
/// brought about. Ascends along the log.
public struct WindowPosition: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// How many entries of the log it is as of.
    public let size: UInt64
    /// From 1; 0 for the place before the first of an entry.
    public let ordinal: UInt32

    public static let start = WindowPosition(size: 0, ordinal: 0)

    public init(size: UInt64, ordinal: UInt32) {
        self.size = size
        self.ordinal = ordinal
    }

    /// Reads what `description` writes.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let size = UInt64(parts[0]), let ordinal = UInt32(parts[1]) else {
            return nil
        }
        self.init(size: size, ordinal: ordinal)
    }

    public var description: String { "\(size).\(ordinal)" }

    /// The place right behind this one.
    var next: WindowPosition {
        ordinal < .max
            ? WindowPosition(size: size, ordinal: ordinal + 1) : WindowPosition(size: size &+ 1, ordinal: 0)
    }

    public static func < (left: Self, right: Self) -> Bool {
        (left.size, left.ordinal) < (right.size, right.ordinal)
    }
}
