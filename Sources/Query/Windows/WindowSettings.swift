/// One continuous aggregate as a configuration declares it. Durations are Prometheus's, `1h30m`.
public struct WindowSettings: Codable, Hashable, Sendable {
    public var name: String
    /// A metric selector: `cicd_pipeline_run_duration_seconds{result="failure"}`.
    public var selector: String
    /// `tumbling`, `hopping` or `session`.
    public var kind: String
    /// Of a tumbling or hopping window.
    public var size: String?
    /// Between the starts of hopping windows.
    public var every: String?
    /// Of sessions: this long without an event ends one.
    public var gap: String?
    /// Labels; each combination of their values has windows of its own. None for all in one.
    public var by: [String]?
    public var allowedLateness: String?
    public var idleTimeout: String?

    public init(
        name: String, selector: String, kind: String, size: String? = nil, every: String? = nil,
        gap: String? = nil, by: [String]? = nil, allowedLateness: String? = nil, idleTimeout: String? = nil
    ) {
        self.name = name
        self.selector = selector
        self.kind = kind
        self.size = size
        self.every = every
        self.gap = gap
        self.by = by
        self.allowedLateness = allowedLateness
        self.idleTimeout = idleTimeout
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, selector, kind, size, every, gap, by, allowedLateness, idleTimeout
    }

    /// - Throws: `QuerySettingsError` for a key that means nothing: a misspelt lateness would else be none.
    public init(from decoder: any Decoder) throws {
        for key in try decoder.container(keyedBy: AnyKey.self).allKeys
        where CodingKeys(stringValue: key.stringValue) == nil {
            let path = decoder.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
            throw QuerySettingsError(
                place: path.joined() + "." + key.stringValue, reason: "is no setting of a window",
                remedy: "There are "
                    + CodingKeys.allCases.map(\.rawValue).joined(separator: ", ") + ".")
        }
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        selector = try container.decode(String.self, forKey: .selector)
        kind = try container.decode(String.self, forKey: .kind)
        size = try container.decodeIfPresent(String.self, forKey: .size)
        every = try container.decodeIfPresent(String.self, forKey: .every)
        gap = try container.decodeIfPresent(String.self, forKey: .gap)
        by = try container.decodeIfPresent([String].self, forKey: .by)
        allowedLateness = try container.decodeIfPresent(String.self, forKey: .allowedLateness)
        idleTimeout = try container.decodeIfPresent(String.self, forKey: .idleTimeout)
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
