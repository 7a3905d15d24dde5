import ArgumentParser
import Ledger

/// `NAME=VALUE[UNIT]`: `cicd.pipeline.run.duration=312.5s`, `test.cases=1204{case}`, `temperature=-3Cel`.
struct MeasureArgument: Equatable {
    let name: String
    let value: Quantity
    /// UCUM; empty without one.
    let unit: String

    /// - Throws: `ValidationError`.
    init(_ text: String) throws {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
            throw ValidationError("--measure “\(text)” is not NAME=VALUE[UNIT].")
        }
        let rest = text[text.index(after: equals)...]
        var end = rest.startIndex
        if rest.first == "-" { end = rest.index(after: end) }
        while end < rest.endIndex, "0123456789.".contains(rest[end]) { end = rest.index(after: end) }
        let unit = rest[end...]
        // `5e3` would read as 5 of the unit e3.
        let isExponent =
            unit.first.map { "eE".contains($0) } == true
            && unit.dropFirst().first.map { "+-0123456789".contains($0) } == true
        guard let value = Quantity(rest[..<end]), !isExponent else {
            throw ValidationError(
                "--measure “\(text)”: the value is a decimal of at most 18 digits, 9 of them behind the point."
            )
        }
        name = String(text[..<equals])
        self.value = value
        self.unit = String(unit)
    }
}
