/// Which aggregates across series a store keeps: for each kind the labels by which it does, as PromQL shows them.
public struct AggregateKinds: Hashable, Sendable {
    /// Each costs a tree for every name and values of its labels that more than a few series share.
    public static let mostDeclared = 8
    public static let mostLabels = 8

    /// What every store keeps: by name, and by name and pipeline.
    public static let standard = AggregateKinds(labels: [[], ["pipeline"]])

    /// Of each kind the labels, sorted; no kind twice.
    public let labels: [[String]]

    private init(labels: [[String]]) { self.labels = labels }

    /// The standard ones, and those that a configuration declares (`aggregates`).
    ///
    /// - Throws: `QuerySettingsError` for what makes no sense.
    public init(declared: [[String]]) throws(QuerySettingsError) {
        guard declared.count <= Self.mostDeclared else {
            throw QuerySettingsError(
                place: "aggregates", reason: "are \(declared.count)",
                remedy: "Declare at most \(Self.mostDeclared): each is kept up to date with every sample.")
        }
        var all = Self.standard.labels
        for (position, names) in declared.enumerated() {
            let place = "aggregates[\(position)]"
            guard names.count <= Self.mostLabels else {
                throw QuerySettingsError(
                    place: place, reason: "has \(names.count) labels",
                    remedy: "Name at most \(Self.mostLabels): with more, groups are as many as series.")
            }
            let sorted = try GroupingLabels.sorted(names, at: place)
            if !all.contains(sorted) { all.append(sorted) }
        }
        labels = all
    }
}
