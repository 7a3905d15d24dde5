import ArgumentParser
import Ledger

extension TimeArgument {
    /// The time that an option names; `nil` where it was not given.
    ///
    /// - Throws: `ValidationError`.
    static func option(_ name: String, _ text: String?, now: Timestamp) throws -> Timestamp? {
        guard let text else { return nil }
        guard let time = parse(text, now: now) else {
            throw ValidationError(
                "\(name) “\(text)” is not a time: RFC 3339, seconds since 1970, now or -2h.")
        }
        return time
    }

    /// What `--from` and `--to` name, either of which may be left out.
    ///
    /// - Throws: `ValidationError`.
    static func span(
        from: String?, to: String?, now: Timestamp
    ) throws -> (from: Timestamp?, to: Timestamp?) {
        let span = (from: try option("--from", from, now: now), to: try option("--to", to, now: now))
        if let from = span.from, let to = span.to, from > to {
            throw ValidationError("--from is after --to.")
        }
        return span
    }
}
