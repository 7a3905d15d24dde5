/// Escapes and classes.
extension PatternParser {
    /// After the backslash.
    mutating func readEscape(from start: Int) throws(Pattern.Failure) -> PatternNode? {
        let assertion: PatternNode.Assertion
        switch peek() {
        case "A": assertion = .textStart
        case "z": assertion = .textEnd
        case "b": assertion = .wordBoundary
        case "B": assertion = .notWordBoundary
        case "Q":
            position += 1
            isQuoting = true
            return nil
        default:
            if let ranges = try readClassEscape(from: start) { return .scalars(ScalarSet(ranges: ranges)) }
            return .scalars(ScalarSet(try readEscapedScalar(from: start), foldsCase: flags.foldsCase))
        }
        position += 1
        return .assertion(assertion)
    }

    /// One character after `\Q`; `nil` for `\E` alone. A repetition behind `\E` is of the last character.
    mutating func readQuoted(_ scalar: Unicode.Scalar) -> PatternNode? {
        if endQuote() { return nil }
        position += 1
        _ = endQuote()
        return .scalars(ScalarSet(scalar, foldsCase: flags.foldsCase))
    }

    private mutating func endQuote() -> Bool {
        guard peek() == "\\", peek(1) == "E" else { return false }
        position += 2
        isQuoting = false
        return true
    }

    /// `\d \D \w \W \s \S \p{…} \P{…}`, after the backslash, which stands at `start`.
    private mutating func readClassEscape(
        from start: Int
    ) throws(Pattern.Failure) -> [ClosedRange<UInt32>]? {
        let ranges: [ClosedRange<UInt32>]
        switch peek() {
        case "d": ranges = ScalarSet.digits
        case "D": ranges = ScalarSet.complement(of: ScalarSet.digits)
        case "w": ranges = ScalarSet.word
        case "W": ranges = ScalarSet.complement(of: ScalarSet.word)
        case "s": ranges = ScalarSet.space
        case "S": ranges = ScalarSet.complement(of: ScalarSet.space)
        case "p", "P": return try readUnicodeClass(from: start)
        default: return nil
        }
        position += 1
        return ranges
    }

    /// `pL`, `p{Lu}`, `p{^Lu}`, and the same with `P` for all others.
    private mutating func readUnicodeClass(
        from start: Int
    ) throws(Pattern.Failure) -> [ClosedRange<UInt32>] {
        var isNegated = peek() == "P"
        position += 1
        var name: String
        if skip("{") {
            let nameStart = position
            while let scalar = peek(), scalar != "}" { position += 1 }
            name = text(from: nameStart, to: position)
        } else {
            name = text(from: position, to: position + 1)
        }
        position += 1
        if name.hasPrefix("^") {
            isNegated.toggle()
            name.removeFirst()
        }
        guard position <= scalars.count,
            let ranges = UnicodeClass.ranges(name, foldsCase: flags.foldsCase)
        else {
            throw Pattern.Failure("invalid character class range: `\(text(from: start, to: position))`")
        }
        return isNegated ? ScalarSet.complement(of: ranges) : ranges
    }

    /// After the backslash, which stands at `start`.
    private mutating func readEscapedScalar(from start: Int) throws(Pattern.Failure) -> Unicode.Scalar {
        guard let scalar = peek() else {
            throw Pattern.Failure("trailing backslash at end of expression: ``")
        }
        position += 1
        switch scalar {
        case "a": return "\u{07}"
        case "f": return "\u{0C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "v": return "\u{0B}"
        case "0": return readOctal()
        case "x": if let value = readHexadecimal() { return value }
        default:
            // Punctuation stands for itself.
            if scalar.isASCII, scalar == "_" || !scalar.isWord { return scalar }
        }
        throw Pattern.Failure("invalid escape sequence: `\(text(from: start, to: position))`")
    }

    /// At most two octal digits, after `\0`.
    private mutating func readOctal() -> Unicode.Scalar {
        var value: UInt32 = 0
        for _ in 0..<2 {
            guard let digit = peek(), ("0"..."7").contains(digit) else { break }
            value = value * 8 + digit.value - 0x30
            position += 1
        }
        return Unicode.Scalar(value) ?? "\0"
    }

    /// `\x7F` and `\x{10FFFF}`, after the `x`.
    private mutating func readHexadecimal() -> Unicode.Scalar? {
        let braced = skip("{")
        var value: UInt32 = 0
        var digits = 0
        while let scalar = peek(), scalar.isASCII, let digit = UInt8(ascii: scalar).hexadecimalDigit {
            value = value * 16 + UInt32(digit)
            digits += 1
            position += 1
            if value > 0x10FFFF { return nil }
            if !braced, digits == 2 { break }
        }
        guard braced ? digits > 0 && skip("}") : digits == 2 else { return nil }
        return Unicode.Scalar(value)
    }

    /// `[…]`, after the bracket, which stands at `start`.
    mutating func readClass(from start: Int) throws(Pattern.Failure) -> ScalarSet {
        let isNegated = skip("^")
        var ranges: [ClosedRange<UInt32>] = []
        var isFirst = true
        while let scalar = peek(), scalar != "]" || isFirst {
            isFirst = false
            if scalar == "[", peek(1) == ":", let named = try readNamedClass() {
                ranges += named
                continue
            }
            let itemStart = position
            position += 1
            if scalar == "\\", let escaped = try readClassEscape(from: itemStart) {
                ranges += escaped
                // A class of Unicode has hundreds of ranges, and may be named thousands of times.
                if ranges.count > QueryLimits.classRanges { ranges = ScalarSet.merged(ranges) }
                continue
            }
            let low = scalar == "\\" ? try readEscapedScalar(from: itemStart) : scalar
            guard peek() == "-", let after = peek(1), after != "]" else {
                ranges.append(low.value...low.value)
                continue
            }
            position += 2
            let high = after == "\\" ? try readEscapedScalar(from: position - 1) : after
            guard low.value <= high.value else {
                throw Pattern.Failure(
                    "invalid character class range: `\(text(from: itemStart, to: position))`")
            }
            ranges.append(low.value...high.value)
        }
        guard skip("]") else { throw Pattern.Failure("missing closing ]: `\(text(from: start))`") }
        return ScalarSet(ranges: ranges, isNegated: isNegated, foldsCase: flags.foldsCase)
    }

    /// `[:alpha:]` and its like, inside a class.
    private mutating func readNamedClass() throws(Pattern.Failure) -> [ClosedRange<UInt32>]? {
        let start = position
        var end = position + 2
        while end < scalars.count, scalars[end] != ":" { end += 1 }
        guard end + 1 < scalars.count, scalars[end + 1] == "]" else { return nil }
        var name = text(from: start + 2, to: end)
        let isNegated = name.hasPrefix("^")
        if isNegated { name.removeFirst() }
        let ranges: [ClosedRange<UInt32>]
        switch name {
        case "alnum": ranges = [0x30...0x39, 0x41...0x5A, 0x61...0x7A]
        case "alpha": ranges = [0x41...0x5A, 0x61...0x7A]
        case "ascii": ranges = [0...0x7F]
        case "blank": ranges = [0x09...0x09, 0x20...0x20]
        case "cntrl": ranges = [0...0x1F, 0x7F...0x7F]
        case "digit": ranges = ScalarSet.digits
        case "graph": ranges = [0x21...0x7E]
        case "lower": ranges = [0x61...0x7A]
        case "print": ranges = [0x20...0x7E]
        case "punct": ranges = [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E]
        case "space": ranges = [0x09...0x0D, 0x20...0x20]
        case "upper": ranges = [0x41...0x5A]
        case "word": ranges = ScalarSet.word
        case "xdigit": ranges = [0x30...0x39, 0x41...0x46, 0x61...0x66]
        default:
            throw Pattern.Failure("invalid character class range: `\(text(from: start, to: end + 2))`")
        }
        position = end + 2
        return isNegated ? ScalarSet.complement(of: ranges) : ranges
    }
}
