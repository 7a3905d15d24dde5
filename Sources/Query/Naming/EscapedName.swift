/// Names with any characters, as Prometheus writes them into addresses: `U__` before the name, `__` for `_`, and
/// `_2e_` for the character with the code 2e. Source: Prometheus's "UTF-8 in Prometheus" proposal, "values" escaping.
enum EscapedName {
    /// The name itself where it is not escaped, or not properly.
    static func unescaped(_ text: String) -> String {
        guard text.hasPrefix("U__") else { return text }
        var name = String.UnicodeScalarView()
        var rest = Array(text.unicodeScalars.dropFirst(3))[...]
        while let scalar = rest.popFirst() {
            guard scalar == "_" else {
                name.append(scalar)
                continue
            }
            guard let end = rest.firstIndex(of: "_") else { return text }
            let digits = String(String.UnicodeScalarView(rest[..<end]))
            rest = rest[(end + 1)...]
            if digits.isEmpty {
                name.append("_")
            } else if let value = UInt32(digits, radix: 16), let decoded = Unicode.Scalar(value) {
                name.append(decoded)
            } else {
                return text
            }
        }
        return String(name)
    }
}
