/// Turns a report of another tool into measures, read piece by piece: memory grows with the suites or packages in it,
/// not with its size.
///
/// One measure per suite or package, never per test case; names and numbers only, so no stack trace, output, host name
/// or name of a person gets through.
public struct ReportConverter: ~Copyable {
    private let stream: XMLStream
    private var content = Digest.Hash()

    /// - Parameters:
    ///   - time: for measures whose report does not say when, with a zone.
    ///   - labels: added to every measure; a label of the report's own wins.
    public init(_ format: ReportFormat, time: Timestamp, labels: [Label] = []) throws(ReportError) {
        let defaults = ReportDefaults(time: time, labels: labels)
        stream =
            switch format {
            case .junit: try XMLStream(JUnitReport(defaults))
            case .cobertura: try XMLStream(CoberturaReport(defaults))
            case .jacoco: try XMLStream(JaCoCoReport(defaults))
            }
        // The same file sent for two configurations is two contents.
        content.update(Array("\(format.rawValue)\n".utf8))
        for label in labels.sorted() {
            var writer = ByteWriter()
            writer.writeSized(label.name)
            writer.writeSized(label.value)
            content.update(writer.bytes)
        }
    }

    /// Takes the next piece, of any length.
    public mutating func consume(_ bytes: RawSpan) throws(ReportError) {
        content.update(bytes)
        try stream.consume(bytes)
    }

    public mutating func consume(_ bytes: [UInt8]) throws(ReportError) {
        try consume(unsafe bytes.span.bytes)
    }

    /// - Throws: `.malformed` for a report that is cut short.
    public consuming func finish() throws(ReportError) -> ReportSummary {
        let follower = try stream.finish()
        guard let report = follower as? any Report else { preconditionFailure("a follower here is a report") }
        return report.summary(contentDigest: content.finish())
    }
}

/// What `ReportConverter` was told beside the report.
struct ReportDefaults: Sendable {
    let time: Timestamp
    let labels: [Label]

    /// The labels of a measure, sorted: these, and `own`, which win.
    func merged(with own: [Label]) -> [Label] {
        (own + labels.filter { shared in !own.contains { $0.name == shared.name } }).sorted()
    }
}

/// A kind of report: follows its elements and sums them up.
protocol Report: XMLStream.Follower {
    func summary(contentDigest: Digest) -> ReportSummary
}
