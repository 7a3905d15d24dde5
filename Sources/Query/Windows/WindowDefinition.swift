internal import Ledger

/// A continuous aggregate that is known to be sound.
public struct WindowDefinition: Hashable, Sendable {
    public let name: String
    public let shape: WindowShape
    /// Label names as PromQL shows them, sorted.
    public let by: [String]
    public let latenessMilliseconds: Int64
    public let idleMilliseconds: Int64
    let selector: String
    let matchers: [LabelMatcher]

    /// Without an allowed lateness: five minutes.
    public static let defaultLatenessMilliseconds: Int64 = 300_000
    /// Without an idle timeout: an hour.
    public static let defaultIdleMilliseconds: Int64 = 3_600_000

    /// All definitions of a configuration, in its order.
    public static func all(_ settings: [WindowSettings]) throws(QuerySettingsError) -> [WindowDefinition] {
        guard settings.count <= QueryLimits.windowDefinitions else {
            throw QuerySettingsError(
                place: "windows", reason: "has \(settings.count) definitions",
                remedy: "Keep at most \(QueryLimits.windowDefinitions).")
        }
        var definitions: [WindowDefinition] = []
        for (place, one) in settings.enumerated() {
            let definition = try WindowDefinition(one, at: "windows[\(place)]")
            guard !definitions.contains(where: { $0.name == definition.name }) else {
                throw QuerySettingsError(
                    place: "windows[\(place)].name", reason: "is “\(definition.name)”, like another's",
                    remedy: "Give each a name of its own.")
            }
            definitions.append(definition)
        }
        return definitions
    }

    private init(_ settings: WindowSettings, at place: String) throws(QuerySettingsError) {
        guard Self.isName(settings.name) else {
            throw QuerySettingsError(
                place: "\(place).name", reason: "must be 1 to 64 letters of a–z, digits, “_” and “-”",
                remedy: "Choose such a name: it becomes part of an address.")
        }
        name = settings.name
        selector = settings.selector
        do { matchers = try Parser.metricSelector(settings.selector) } catch {
            throw QuerySettingsError(
                place: "\(place).selector", reason: "is no metric selector: \(error.message)",
                remedy: "Write a name and labels as in name{label=\"value\"}, without a range or a function.")
        }
        shape = try Self.shape(settings, place)
        by = try GroupingLabels.sorted(settings.by ?? [], at: "\(place).by")
        latenessMilliseconds =
            try Self.duration(settings.allowedLateness, "\(place).allowedLateness", least: 0)
            ?? Self.defaultLatenessMilliseconds
        idleMilliseconds =
            try Self.duration(settings.idleTimeout, "\(place).idleTimeout", least: 1000)
            ?? Self.defaultIdleMilliseconds
    }

    private static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0.isDigit || $0 == 0x5F || $0 == 0x2D }
    }

    private static func shape(
        _ settings: WindowSettings, _ place: String
    ) throws(QuerySettingsError) -> WindowShape {
        let wanted: Set<String>
        switch settings.kind {
        case "tumbling": wanted = ["size"]
        case "hopping": wanted = ["size", "every"]
        case "session": wanted = ["gap"]
        default:
            throw QuerySettingsError(
                place: "\(place).kind", reason: "is “\(settings.kind)”",
                remedy: "Choose tumbling, hopping or session.")
        }
        func length(_ name: String, _ text: String?) throws(QuerySettingsError) -> Int64 {
            let value = try duration(text, "\(place).\(name)", least: 1000)
            guard wanted.contains(name) == (value != nil) else {
                throw QuerySettingsError(
                    place: "\(place).\(name)",
                    reason: value == nil ? "is missing" : "has no meaning for \(settings.kind) windows",
                    remedy: "A \(settings.kind) window has \(wanted.sorted().joined(separator: " and ")).")
            }
            return value ?? 0
        }
        let size = try length("size", settings.size)
        let every = try length("every", settings.every)
        let gap = try length("gap", settings.gap)
        switch settings.kind {
        case "session": return .session(gapMilliseconds: gap)
        case "tumbling": return .fixed(lengthMilliseconds: size, hopMilliseconds: size)
        default:
            guard every <= size, (size + every - 1) / every <= QueryLimits.windowsOfOneEvent else {
                throw QuerySettingsError(
                    place: "\(place).every",
                    reason: every > size
                        ? "is longer than size: some events would be in no window"
                        : "would put each event into more than \(QueryLimits.windowsOfOneEvent) windows",
                    remedy: "Choose every between size / \(QueryLimits.windowsOfOneEvent) and size.")
            }
            return .fixed(lengthMilliseconds: size, hopMilliseconds: every)
        }
    }

    private static func duration(
        _ text: String?, _ place: String, least: Int64
    ) throws(QuerySettingsError) -> Int64? {
        guard let text else { return nil }
        guard let value = DurationText.milliseconds(text), value >= least,
            value <= QueryLimits.windowMilliseconds
        else {
            throw QuerySettingsError(
                place: place,
                reason: "is “\(text)”, not a duration from \(DurationText.text(milliseconds: least)) to "
                    + DurationText.text(milliseconds: QueryLimits.windowMilliseconds),
                remedy: "Write it like 90s, 5m or 1h30m.")
        }
        return value
    }
}

extension WindowDefinition {
    /// Everything that decides which windows there are: another definition needs other tables.
    var identity: [UInt8] {
        var writer = ByteWriter()
        for text in [name, selector] { writer.writeSized(text) }
        writer.write(UInt32(truncatingIfNeeded: by.count))
        for label in by { writer.writeSized(label) }
        switch shape {
        case .fixed(let length, let hop):
            writer.write(UInt8(0))
            for value in [length, hop] { writer.writeSignedVarint(value) }
        case .session(let gap):
            writer.write(UInt8(1))
            writer.writeSignedVarint(gap)
        }
        for value in [latenessMilliseconds, idleMilliseconds] { writer.writeSignedVarint(value) }
        return writer.bytes
    }

    /// The group of a series; `nil` where the selector does not select it.
    func group(of series: Series) -> WindowGroup? {
        guard series.isSelected(by: matchers) else { return nil }
        return WindowGroup(values: by.map { series.values(of: $0).first ?? "" })
    }

    var watermark: Watermark {
        Watermark(latenessMilliseconds: latenessMilliseconds, idleMilliseconds: idleMilliseconds)
    }
}

/// Series whose windows are counted together: those with the same values of the labels that a definition groups by.
struct WindowGroup: Hashable, Sendable {
    let values: [String]
    /// The values, each with its length: `String` holds two spellings of one letter for equal.
    let bytes: [UInt8]

    init(values: [String]) {
        self.values = values
        var writer = ByteWriter()
        for value in values { writer.writeSized(value) }
        bytes = writer.bytes
    }

    static func == (left: Self, right: Self) -> Bool { left.bytes == right.bytes }
    func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

/// The number of a group among those of its definition, in the order in which the log brought them.
///
/// Not a digest of the labels, which would outlive their erasure.
struct WindowGroupID: Hashable, Comparable, Sendable {
    let value: UInt64
    init(_ value: UInt64) { self.value = value }
    static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// What is known in memory of the groups of all definitions.
struct WindowGroups: Sendable {
    /// The group of each series met so far; `nil` inside where it is not selected.
    var ofSeries: [[SeriesID: WindowGroup?]]
    var numbers: [[WindowGroup: WindowGroupID]]

    init(definitions: Int) {
        ofSeries = Array(repeating: [:], count: definitions)
        numbers = Array(repeating: [:], count: definitions)
    }
}
