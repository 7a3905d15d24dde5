/// One name and value that tells series apart. Names are unique within a measure.
public struct Label: Hashable, Comparable, Sendable {
    public let name: String
    public let value: String

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    /// By the bytes of the name, then of the value: the same order on every machine.
    public static func < (left: Self, right: Self) -> Bool {
        left.name.utf8.elementsEqual(right.name.utf8)
            ? left.value.utf8.lexicographicallyPrecedes(right.value.utf8)
            : left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
    }
}

/// One measured value.
public struct Measure: Hashable, Sendable {
    /// The name as in the OpenTelemetry semantic conventions, `cicd.pipeline.run.duration`.
    public let name: String
    /// UCUM, as in OpenTelemetry (`s`, `By`, `{case}`); empty where the document has none.
    public let unit: String
    /// When it was measured, which may be long before it was sent.
    public let time: Timestamp
    /// The measure's labels with the document's, sorted by name; the measure's own win. `pipeline` is among them
    /// where the document has one.
    public let labels: [Label]
    public let value: Quantity

    public init(name: String, unit: String, time: Timestamp, labels: [Label], value: Quantity) {
        self.name = name
        self.unit = unit
        self.time = time
        self.labels = labels
        self.value = value
    }
}

/// What a pipeline reports in one go: the root element `<kpis>` of `kpi.xsd`.
public struct KPIDocument: Hashable, Sendable {
    /// The origin of the ledger that it was written for.
    public let ledger: String
    /// The enrolled identity that signs it.
    public let submitter: String
    /// Unique for the submitter: sent twice, a document counts once.
    public let id: String
    public let pipeline: String?
    public let run: String?
    /// The id of an earlier document of the same submitter, which this one corrects. An id that stands nowhere before
    /// it in the log has no effect.
    public let replaces: String?
    public let measures: [Measure]

    public init(
        ledger: String, submitter: String, id: String, pipeline: String?, run: String?,
        replaces: String? = nil, measures: [Measure]
    ) {
        self.ledger = ledger
        self.submitter = submitter
        self.id = id
        self.pipeline = pipeline
        self.run = run
        self.replaces = replaces
        self.measures = measures
    }
}

/// A symmetric key that one submitter may seal with until it expires: the root element `<session>`.
public struct SessionDocument: Hashable, Sendable {
    public let ledger: String
    public let submitter: String
    public let id: String
    /// 32 bytes.
    public let key: [UInt8]
    public let expires: Timestamp

    public init(ledger: String, submitter: String, id: String, key: [UInt8], expires: Timestamp) {
        self.ledger = ledger
        self.submitter = submitter
        self.id = id
        self.key = key
        self.expires = expires
    }
}

/// What a sealed payload holds.
public enum SealedDocument: Hashable, Sendable {
    case kpis(KPIDocument)
    case session(SessionDocument)

    public var ledger: String {
        switch self {
        case .kpis(let document): document.ledger
        case .session(let document): document.ledger
        }
    }

    public var submitter: String {
        switch self {
        case .kpis(let document): document.submitter
        case .session(let document): document.submitter
        }
    }

    public var id: String {
        switch self {
        case .kpis(let document): document.id
        case .session(let document): document.id
        }
    }
}
