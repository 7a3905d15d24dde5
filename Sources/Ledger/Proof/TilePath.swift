/// The name under which a tile is served: `/tile/<L>/<N>[.p/<W>]` or `/tile/entries/<N>[.p/<W>]`.
///
/// `N` is written in groups of three digits, all but the last with an `x`: 1234067 is `x001/x234/067`.
/// - Source: C2SP tlog-tiles.
public struct TilePath: Hashable, Sendable {
    public enum Content: Hashable, Sendable {
        /// Hashes of this level, 0 to 63.
        case hashes(level: Int)
        /// The leaves under one tile of level 0.
        case entries
    }

    public let content: Content
    /// Which tile of the level, from 0.
    public let index: UInt64
    /// How many hashes or entries: 1 to 255 of a partial tile, 256 of a full one.
    public let width: Int

    /// `nil` for a level outside 0 to 63 or a width outside 1 to 256.
    public init?(_ content: Content, index: UInt64, width: Int = HashTile.fullWidth) {
        if case .hashes(let level) = content, !(0...63).contains(level) { return nil }
        guard (1...HashTile.fullWidth).contains(width) else { return nil }
        self.content = content
        self.index = index
        self.width = width
    }

    /// The path, beginning with `/tile/`.
    public var text: String {
        let folder =
            switch content {
            case .hashes(let level): String(level)
            case .entries: "entries"
            }
        return "/tile/\(folder)/\(Self.format(index))\(width == HashTile.fullWidth ? "" : ".p/\(width)")"
    }

    /// The hashes or entries in this tile, counted over the whole level.
    ///
    /// `nil` where the numbers exceed 64 bits: such a tile is in no tree.
    public var range: Range<UInt64>? {
        let (start, overflow) = index.multipliedReportingOverflow(by: UInt64(HashTile.fullWidth))
        let (end, overflowToo) = start.addingReportingOverflow(UInt64(width))
        return overflow || overflowToo ? nil : start..<end
    }

    /// Whether a tree of `treeSize` leaves has everything in this tile.
    ///
    /// So a partial tile goes on existing when the tile is full: C2SP allows to keep it, and a client that
    /// holds an older checkpoint still finds it.
    public func exists(treeSize: UInt64) -> Bool {
        guard let range else { return false }
        return range.upperBound <= HashTile.hashCount(level: level, treeSize: treeSize)
    }

    /// The level whose hashes these are, or whose leaves: 0 for entries.
    public var level: Int {
        switch content {
        case .hashes(let level): level
        case .entries: 0
        }
    }

    private static func format(_ index: UInt64) -> String {
        var rest = index / 1000
        var path = group(index % 1000)
        while rest > 0 {
            path = "x\(group(rest % 1000))/\(path)"
            rest /= 1000
        }
        return path
    }

    private static func group(_ number: UInt64) -> String {
        number < 10 ? "00\(number)" : number < 100 ? "0\(number)" : String(number)
    }
}

extension TilePath {
    /// Reads a path; only what `text` would write is accepted.
    public init(parsing text: String) throws(ProofError) {
        let failure = ProofError(.malformedTilePath, "not the path of a tile")
        guard text.utf8.count <= Limits.tilePathBytes else { throw failure }
        var parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
        guard parts.count >= 4, parts[0] == "", parts[1] == "tile" else { throw failure }

        let content: Content
        if parts[2] == "entries" {
            content = .entries
        } else {
            guard let level = decimal(parts[2], max: 63) else { throw failure }
            content = .hashes(level: Int(level))
        }
        parts.removeFirst(3)

        var width = HashTile.fullWidth
        if parts.count >= 2, parts[parts.count - 2].hasSuffix(".p") {
            guard let number = decimal(parts.removeLast(), max: UInt64(HashTile.fullWidth - 1)) else {
                throw failure
            }
            width = Int(number)
            parts[parts.count - 1].removeLast(2)
        }

        var index: UInt64 = 0
        for (position, part) in parts.enumerated() {
            let isLast = position == parts.count - 1
            var digits = Array(part.utf8)
            if !isLast, digits.first == UInt8(ascii: "x") { digits.removeFirst() }
            guard digits.count == 3 else { throw failure }
            for digit in digits {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { throw failure }
                let (shifted, overflow) = index.multipliedReportingOverflow(by: 10)
                let (sum, overflowToo) = shifted.addingReportingOverflow(UInt64(digit - UInt8(ascii: "0")))
                guard !overflow, !overflowToo else { throw failure }
                index = sum
            }
        }
        guard let path = TilePath(content, index: index, width: width) else { throw failure }
        // One tile has one name: a leading group of zeros or a missing x is another spelling of the same.
        guard path.text.utf8.elementsEqual(text.utf8) else { throw failure }
        self = path
    }
}

/// A decimal number in its one form: ASCII digits, no sign, no leading zero. `nil` for the rest and above `max`.
func decimal(_ text: some StringProtocol, max: UInt64) -> UInt64? {
    let digits = text.utf8
    guard let first = digits.first, digits.count == 1 || first != UInt8(ascii: "0") else { return nil }
    var value: UInt64 = 0
    for digit in digits {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
        let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
        let (sum, overflowToo) = shifted.addingReportingOverflow(UInt64(digit - UInt8(ascii: "0")))
        guard !overflow, !overflowToo else { return nil }
        value = sum
    }
    return value <= max ? value : nil
}
