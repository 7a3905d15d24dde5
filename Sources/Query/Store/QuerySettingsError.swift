/// What is wrong with declared windows or aggregates, in words for whoever wrote them.
public struct QuerySettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where, as in `windows[0].size`, `aggregates[1]`.
    public let place: String
    public let reason: String
    /// What to do.
    public let remedy: String

    public var description: String { "\(place) \(reason)" }
}
