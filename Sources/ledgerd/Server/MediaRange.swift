import Foundation

/// One element of an `Accept` field: `text/*;q=0.5`.
///
/// - Source: RFC 9110 §12.5.1. Parameters other than the weight are not compared: no address answers in two forms of one type.
struct MediaRange {
    let type: Substring
    let subtype: Substring
    let isRefused: Bool

    init?(_ text: Substring) {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false)
        let names = (parts.first?.trimmingCharacters(in: .whitespaces).lowercased() ?? "")
            .split(separator: "/", omittingEmptySubsequences: false)
        guard names.count == 2 else { return nil }
        type = names[0]
        subtype = names[1]
        isRefused = parts.dropFirst().contains { parameter in
            let pair = parameter.split(separator: "=", maxSplits: 1)
                .map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
            return pair.count == 2 && pair[0] == "q" && Double(pair[1]) == 0
        }
    }

    /// How exactly it names a type: 2 by name, 1 by kind, 0 as anything, `nil` not at all.
    private func precision(_ type: Substring, _ subtype: Substring) -> Int? {
        if self.type == type && self.subtype == subtype { return 2 }
        if self.type == type && self.subtype == "*" { return 1 }
        return self.type == "*" && self.subtype == "*" ? 0 : nil
    }

    /// Whether fields `Accept` allow an answer of a media type. None, or none that can be read, allow all.
    static func accepts(_ offered: String, _ fields: [String]) -> Bool {
        let ranges = fields.flatMap { $0.split(separator: ",") }.compactMap(MediaRange.init)
        guard !ranges.isEmpty, let offer = MediaRange(offered[...]) else { return true }
        let matching = ranges.compactMap { range in
            range.precision(offer.type, offer.subtype).map { (precision: $0, isRefused: range.isRefused) }
        }
        guard let most = matching.map(\.precision).max() else { return false }
        return matching.contains { $0.precision == most && !$0.isRefused }
    }
}
