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

    /// Those asked for before: to find one takes a look at every character. They are as many as there are names.
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
        known.withLock { $0[key] = found }
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
        // The standard library knows other spellings too, which RE2 does not.
        guard scripts.contains(name), let expression = try? Regex("\\p{Script=\(name)}+") else { return nil }
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

    /// As Go names them.
    static let scripts = Set(
        """
        Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali
        Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian
        Chakma Cham Cherokee Chorasmian Common Coptic Cuneiform Cypriot Cypro_Minoan Cyrillic Deseret
        Devanagari Dives_Akuru Dogra Duployan Egyptian_Hieroglyphs Elbasan Elymaic Ethiopic Georgian
        Glagolitic Gothic Grantha Greek Gujarati Gunjala_Gondi Gurmukhi Han Hangul Hanifi_Rohingya
        Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inherited Inscriptional_Pahlavi
        Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kawi Kayah_Li Kharoshthi
        Khitan_Small_Script Khmer Khojki Khudawadi Lao Latin Lepcha Limbu Linear_A Linear_B Lisu Lycian
        Lydian Mahajani Makasar Malayalam Mandaic Manichaean Marchen Masaram_Gondi Medefaidrin
        Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani
        Myanmar Nabataean Nag_Mundari Nandinagari New_Tai_Lue Newa Nko Nushu Nyiakeng_Puachue_Hmong
        Ogham Ol_Chiki Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian Old_Sogdian
        Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau
        Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan Saurashtra Sharada Shavian Siddham
        SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese Syloti_Nagri Syriac Tagalog Tagbanwa
        Tai_Le Tai_Tham Tai_Viet Takri Tamil Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta
        Toto Ugaritic Vai Vithkuqi Wancho Warang_Citi Yezidi Yi Zanabazar_Square
        """.split { $0 == " " || $0 == "\n" }.map(String.init))
}
