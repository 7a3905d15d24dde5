internal import Synchronization

/// The characters of `\p{…}`: general categories (`L`, `Lu`), scripts (`Greek`), and `Any`.
///
/// Of the Unicode version that the program was built with, which knows more characters than older ones.
/// Source: RE2's syntax, "Unicode character class names"; Go's `unicode.Categories` and `unicode.Scripts`.
enum UnicodeClass {
    private struct Key: Hashable {
        let name: String
        let foldsCase: Bool
    }

    /// Those asked for before: to find one takes a look at every character.
    private static let known = Mutex<[Key: [ClosedRange<UInt32>]]>([:])

    /// - Returns: Ascending ranges, or `nil` where nothing has that name.
    static func ranges(_ name: String, foldsCase: Bool) -> [ClosedRange<UInt32>]? {
        if name == "Any" { return ScalarSet.any.ranges }
        let key = Key(name: name, foldsCase: foldsCase)
        if let ranges = known.withLock({ $0[key] }) { return ranges }
        let found: [ClosedRange<UInt32>]?
        if foldsCase {
            found = ranges(name, foldsCase: false).map(ScalarSet.folded)
        } else {
            found = categoryRanges(name) ?? scriptRanges(name)
        }
        guard let found else { return nil }
        known.withLock { known in
            // A script has many spellings.
            if known.count < QueryLimits.unicodeClasses { known[key] = found }
        }
        return found
    }

    private static func categoryRanges(_ name: String) -> [ClosedRange<UInt32>]? {
        let members = categories.filter { $0.name == name || String($0.name.prefix(1)) == name }.map(
            \.category)
        guard !members.isEmpty else { return nil }
        return ranges { members.contains($0.properties.generalCategory) }
    }

    private static let categories: [(name: String, category: Unicode.GeneralCategory)] = [
        ("Lu", .uppercaseLetter), ("Ll", .lowercaseLetter), ("Lt", .titlecaseLetter), ("Lm", .modifierLetter),
        ("Lo", .otherLetter), ("Mn", .nonspacingMark), ("Mc", .spacingMark), ("Me", .enclosingMark),
        ("Nd", .decimalNumber), ("Nl", .letterNumber), ("No", .otherNumber), ("Pc", .connectorPunctuation),
        ("Pd", .dashPunctuation), ("Ps", .openPunctuation), ("Pe", .closePunctuation),
        ("Pi", .initialPunctuation), ("Pf", .finalPunctuation), ("Po", .otherPunctuation),
        ("Sm", .mathSymbol), ("Sc", .currencySymbol), ("Sk", .modifierSymbol), ("So", .otherSymbol),
        ("Zs", .spaceSeparator), ("Zl", .lineSeparator), ("Zp", .paragraphSeparator), ("Cc", .control),
        ("Cf", .format), ("Cs", .surrogate), ("Co", .privateUse),
    ]

    /// Characters tell their script to the standard library's expressions only; so all of them are matched at once.
    private static func scriptRanges(_ name: String) -> [ClosedRange<UInt32>]? {
        // Nothing else may get into the expression.
        guard !name.isEmpty, name.utf8.allSatisfy(\.isLetter),
            let expression = try? Regex("\\p{Script=\(name)}+")
        else { return nil }
        var characters = String.UnicodeScalarView()
        for value in 0...UInt32(0x10FFFF) {
            guard let scalar = Unicode.Scalar(value), scalar.properties.generalCategory != .unassigned,
                scalar.properties.generalCategory != .privateUse
            else { continue }
            characters.append(scalar)
        }
        let text = String(characters)
        let matches = text.matches(of: expression.matchingSemantics(.unicodeScalar))
        return ScalarSet.merged(
            matches.flatMap { text[$0.range].unicodeScalars.map { $0.value...$0.value } })
    }

    private static func ranges(_ isMember: (Unicode.Scalar) -> Bool) -> [ClosedRange<UInt32>] {
        var ranges: [ClosedRange<UInt32>] = []
        var start: UInt32?
        for value in 0...UInt32(0x10FFFF) {
            let belongs = Unicode.Scalar(value).map(isMember) ?? false
            if belongs, start == nil { start = value }
            if !belongs, let first = start {
                ranges.append(first...value - 1)
                start = nil
            }
        }
        if let start { ranges.append(start...0x10FFFF) }
        return ranges
    }
}
