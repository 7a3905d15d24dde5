internal import Ledger

/// What tells series apart: name, unit and labels, byte by byte. (`String` holds two spellings of "é" for equal; a
/// ledger does not.)
struct SeriesIdentity: Hashable, Sendable {
    let name: String
    let unit: String
    let labels: [Label]

    static func == (left: Self, right: Self) -> Bool {
        guard left.labels.count == right.labels.count, isSame(left.name, right.name),
            isSame(left.unit, right.unit)
        else { return false }
        for place in left.labels.indices {
            let (one, other) = (left.labels[place], right.labels[place])
            guard isSame(one.value, other.value), isSame(one.name, other.name) else { return false }
        }
        return true
    }

    /// Of the bytes themselves: a view of text hands out one at a time, and asks each time where it is.
    private static func isSame(_ one: String, _ other: String) -> Bool {
        let isSame = one.utf8.withContiguousStorageIfAvailable { left in
            other.utf8.withContiguousStorageIfAvailable { right in
                left.count == right.count && left.elementsEqual(right)
            }
        }
        return (isSame ?? nil) ?? one.utf8.elementsEqual(other.utf8)
    }

    func hash(into hasher: inout Hasher) {
        Self.combine(name, into: &hasher)
        Self.combine(unit, into: &hasher)
        for label in labels {
            Self.combine(label.name, into: &hasher)
            Self.combine(label.value, into: &hasher)
        }
    }

    /// All bytes at once: one at a time is ten times as slow, and this is done for each measure that comes.
    private static func combine(_ text: String, into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // No text contains it.
        hasher.combine(UInt8(0xFF))
    }
}

extension Measure {
    var series: SeriesIdentity { SeriesIdentity(name: name, unit: unit, labels: labels) }
}

extension Series {
    var identity: SeriesIdentity { SeriesIdentity(name: name, unit: unit, labels: labels) }
}
