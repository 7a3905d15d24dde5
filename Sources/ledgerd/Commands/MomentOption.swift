import ArgumentParser
import Ledger

/// What is known when: a question is answered from what the log held at a moment.
struct MomentOption: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help:
            "Answer as of then: a number of entries, or a time: RFC 3339, now or -2h. Corrections that came later have no effect."
    )
    var asOf: String?

    /// As the HTTP API wants it: digits alone count entries, so that they are never taken for seconds.
    ///
    /// - Throws: `ValidationError`.
    func form(now: Timestamp) throws -> [(name: String, value: String)] {
        guard let asOf else { return [] }
        if !asOf.isEmpty, asOf.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return [("as_of", asOf)] }
        guard Double(asOf) == nil, let time = TimeArgument.parse(asOf, now: now) else {
            throw ValidationError(
                "--as-of “\(asOf)” is not a number of entries, and not a time: RFC 3339, now or -2h.")
        }
        return [("as_of", time.description)]
    }
}
