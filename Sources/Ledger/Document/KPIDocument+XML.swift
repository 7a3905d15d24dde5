extension KPIDocument {
    /// The document as `kpi.xsd` has it; it reads back as an equal value.
    ///
    /// Every label stands at its measure, except `pipeline`, which is the document's attribute.
    public var xml: String {
        var writer = XMLWriter()
        let attributes: [(String, String?)] = [
            ("xmlns", XMLVocabulary.kpi.namespace), ("ledger", ledger), ("submitter", submitter), ("id", id),
            ("pipeline", pipeline), ("run", run), ("replaces", replaces),
        ]
        writer.element("kpis", attributes) { writer in
            for measure in measures { write(measure, to: &writer) }
        }
        return writer.text
    }

    private func write(_ measure: Measure, to writer: inout XMLWriter) {
        let labels = measure.labels.filter { pipeline == nil || $0.name != Self.pipelineLabel }
        writer.mixedElement(
            "measure",
            [
                ("name", measure.name), ("unit", measure.unit.isEmpty ? nil : measure.unit),
                ("at", measure.time.description),
            ],
            children: labels.map { ("label", [("name", $0.name)], text: $0.value) },
            text: measure.value.description)
    }

    /// The latest time of a measure: it may be at most `Limits.measureAheadMilliseconds` after its block.
    /// `nil` without measures, which no parsed document is.
    public var latestTime: Timestamp? { measures.map(\.time).max() }

    /// An id that a retry finds again: the same report of the same run has the same one, so it never counts twice.
    ///
    /// - Parameters:
    ///   - contentDigest: of what the document was made from, not of the document: times may differ in a retry.
    ///   - replaces: of a correction: back to what was reported first, it is still another document.
    ///   - part: counted from 0, where one report fills several documents.
    /// - Returns: 32 lower-case hexadecimal digits, the first half of a SHA-256.
    public static func deriveID(
        pipeline: String?, run: String?, replaces: String? = nil, contentDigest: Digest, part: UInt32 = 0
    ) -> String {
        var writer = ByteWriter()
        writer.writeSized("kpi-ledger document id 1")
        for text in [pipeline, run] {
            writer.write(text == nil ? UInt8(0) : 1)
            writer.writeSized(text ?? "")
        }
        writer.write(contentDigest)
        writer.write(part)
        if let replaces { writer.writeSized(replaces) }
        return Digest.sha256(writer.bytes).bytes.prefix(16).hexadecimal
    }
}
