/// What a report comes to.
public struct ReportSummary: Sendable {
    /// In the order in which suites or packages first occur in the report.
    public let measures: [Measure]
    /// What in the report was odd, a sentence each; at most `Limits.reportWarnings` and one that counts the rest.
    public let warnings: [String]
    /// Of the report's bytes, its format and the labels that were added; not of the time.
    public let contentDigest: Digest

    /// The measures as documents that a ledger accepts by number of measures and by size.
    ///
    /// The same report of the same run gives the same ids, so a retry never counts twice. Empty for a report without
    /// measures. Of several, the first replaces what is to be corrected, and the others add to it.
    public func documents(
        ledger: String, submitter: String, pipeline: String?, run: String?, replaces: String? = nil
    ) -> [KPIDocument] {
        var documents: [KPIDocument] = []
        var part: [Measure] = []
        var partBytes = 0
        func close() {
            guard !part.isEmpty else { return }
            let id = KPIDocument.deriveID(
                pipeline: pipeline, run: run, replaces: replaces, contentDigest: contentDigest,
                part: UInt32(clamping: documents.count))
            documents.append(
                KPIDocument(
                    ledger: ledger, submitter: submitter, id: id, pipeline: pipeline, run: run,
                    replaces: documents.isEmpty ? replaces : nil, measures: part))
            part = []
            partBytes = 0
        }
        for measure in measures {
            let bytes = measure.largestTextBytes
            if part.count == Limits.measuresPerDocument
                || partBytes + bytes > Limits.documentBytes - Self.envelopeBytes
            {
                close()
            }
            part.append(pipeline.map { measure.inPipeline($0) } ?? measure)
            partBytes += bytes
        }
        close()
        return documents
    }

    /// The root element and its attributes at their longest, with every byte written as a reference.
    private static let envelopeBytes = 16_384
}

extension Measure {
    fileprivate func inPipeline(_ pipeline: String) -> Measure {
        let own = Label(name: KPIDocument.pipelineLabel, value: pipeline)
        let others = labels.filter { $0.name != own.name }
        return Measure(name: name, unit: unit, time: time, labels: (others + [own]).sorted(), value: value)
    }

    /// At least as many bytes as the measure has in a document.
    fileprivate var largestTextBytes: Int {
        func escaped(_ text: String) -> Int {
            // `&quot;` is the longest reference for one byte that a name may hold.
            text.utf8.reduce(0) { $0 + ([0x22, 0x26, 0x3C, 0x3E].contains($1) ? 6 : 1) }
        }
        return 128 + escaped(name) + escaped(unit)
            + labels.reduce(0) { $0 + 32 + escaped($1.name) + escaped($1.value) }
    }
}

/// Warnings, up to a limit.
struct ReportWarnings: Sendable {
    private var sentences: [String] = []
    private var omitted = 0

    mutating func add(_ sentence: @autoclosure () -> String) {
        if sentences.count < Limits.reportWarnings { sentences.append(sentence()) } else { omitted += 1 }
    }

    var all: [String] { omitted == 0 ? sentences : sentences + ["and \(omitted) warnings more"] }
}
