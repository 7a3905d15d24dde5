/// Aggregates across series as a configuration declares them: for each, the labels by which it is kept, as PromQL shows
/// them.
public enum AggregateSettings {
    /// Each costs a tree for every name and values of its labels that more than a few series share.
    public static let most = 8
    public static let mostLabels = 8

    /// - Returns: The labels of each, sorted, none twice, and none that every store keeps anyway.
    /// - Throws: `QuerySettingsError` for what makes no sense.
    public static func labels(_ declared: [[String]]) throws(QuerySettingsError) -> [[String]] {
        guard declared.count <= most else {
            throw QuerySettingsError(
                place: "aggregates", reason: "are \(declared.count)",
                remedy: "Declare at most \(most): each is kept up to date with every sample.")
        }
        var kinds: [[String]] = []
        for (position, labels) in declared.enumerated() {
            let place = "aggregates[\(position)]"
            guard labels.count <= mostLabels else {
                throw QuerySettingsError(
                    place: place, reason: "has \(labels.count) labels",
                    remedy: "Name at most \(mostLabels): with more, groups are as many as series.")
            }
            let isOdd = labels.contains { $0.isEmpty || $0 == "__name__" }
            guard !isOdd, Set(labels).count == labels.count else {
                throw QuerySettingsError(
                    place: place, reason: "names no label, the metric's name, or a label twice",
                    remedy: "Name labels as a query shows them, such as [\"branch\", \"result\"].")
            }
            let sorted = labels.sorted()
            if !kinds.contains(sorted), !QueryStore.standardAggregates.contains(sorted) {
                kinds.append(sorted)
            }
        }
        return kinds
    }
}
