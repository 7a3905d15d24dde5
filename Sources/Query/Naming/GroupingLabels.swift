/// The labels by which a configuration groups series, of windows and of aggregates alike.
enum GroupingLabels {
    /// - Parameter place: of the list in the configuration.
    /// - Throws: `QuerySettingsError` for a name that no label has, and for one that stands there twice.
    static func sorted(_ names: [String], at place: String) throws(QuerySettingsError) -> [String] {
        for (position, name) in names.enumerated() {
            guard PrometheusName.isLegacyLabel(name), !name.hasPrefix("__") else {
                throw QuerySettingsError(
                    place: "\(place)[\(position)]",
                    reason: "is “\(name)”, which is no label as PromQL shows it",
                    remedy: "Write it with letters, digits and “_”: /api/v1/labels lists the labels in use.")
            }
            guard !names[..<position].contains(name) else {
                throw QuerySettingsError(
                    place: "\(place)[\(position)]", reason: "is “\(name)”, like one before it",
                    remedy: "Name each label once.")
            }
        }
        return names.sorted()
    }
}
