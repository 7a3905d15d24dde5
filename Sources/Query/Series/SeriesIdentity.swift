internal import Ledger

/// What tells series apart: name, unit and labels, byte by byte. (`String` holds two spellings of "é" for equal; a
/// ledger does not.)
struct SeriesIdentity: Hashable, Sendable {
    let name: String
    let unit: String
    let labels: [Label]

    static func == (left: Self, right: Self) -> Bool {
        guard left.labels.count == right.labels.count, left.name.utf8.elementsEqual(right.name.utf8),
            left.unit.utf8.elementsEqual(right.unit.utf8)
        else { return false }
        for place in left.labels.indices {
            let (one, other) = (left.labels[place], right.labels[place])
            guard one.value.utf8.elementsEqual(other.value.utf8), one.name.utf8.elementsEqual(other.name.utf8)
            else { return false }
        }
        return true
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

extension Series {
    var identity: SeriesIdentity { SeriesIdentity(name: name, unit: unit, labels: labels) }
}
