import ArgumentParser
import Foundation
import Ledger

/// What `append` is to send, and how it becomes documents.
struct AppendSources: ParsableArguments {
    @Argument(help: "KPI documents (kpi.xsd), sent as they are.")
    var files: [String] = []

    @Option(parsing: .upToNextOption, help: "JUnit reports.")
    var junit: [String] = []

    @Option(parsing: .upToNextOption, help: "Cobertura reports.")
    var cobertura: [String] = []

    @Option(parsing: .upToNextOption, help: "JaCoCo reports.")
    var jacoco: [String] = []

    @Option(
        name: .customLong("measure"), help: "NAME=VALUE[UNIT], such as cicd.pipeline.run.duration=312.5s.")
    var measures: [String] = []

    @Option(help: "The pipeline that reports; it becomes the label “pipeline”.")
    var pipeline: String?

    @Option(help: "The run of the pipeline: the same report of the same run counts once.")
    var run: String?

    @Option(help: "The id of the earlier document of this identity that this one corrects.")
    var replaces: String?

    @Option(name: .customLong("label"), help: "NAME=VALUE, for all measures (repeatable).")
    var labels: [String] = []

    @Option(
        parsing: .unconditional,
        help: "When, where the report does not say: RFC 3339, seconds since 1970, or -2h; now without it.")
    var at: String?

    /// One document, and what people call it.
    struct Document: Sendable, Equatable {
        let outgoing: OutgoingDocument
        let source: String
        /// What a correction names.
        let id: String
        let measures: Int
    }

    private var reports: [(format: ReportFormat, path: String)] {
        junit.map { (.junit, $0) } + cobertura.map { (.cobertura, $0) } + jacoco.map { (.jacoco, $0) }
    }

    func validate() throws {
        guard !files.isEmpty || !reports.isEmpty || !measures.isEmpty else {
            throw ValidationError(
                "Nothing to append: name a file, --junit, --cobertura, --jacoco or --measure.")
        }
        guard (files + reports.map(\.path)).count(where: { $0 == "-" }) <= 1 else {
            throw ValidationError("Standard input (-) can be read once.")
        }
        guard reports.isEmpty && measures.isEmpty || pipeline != nil && run != nil else {
            throw ValidationError("Reports and measures need --pipeline and --run.")
        }
        guard labels.isEmpty || files.isEmpty else {
            throw ValidationError("A KPI document is sent as it is: write its labels into it.")
        }
        guard replaces == nil || files.count + reports.count + min(measures.count, 1) == 1 else {
            throw ValidationError("--replaces needs one source: a document is corrected by one document.")
        }
        _ = try measures.map(MeasureArgument.init)
        _ = try parsedLabels()
        _ = try time()
    }

    /// Everything as documents, in the order of the options.
    ///
    /// - Throws: `CommandFailure`.
    func documents(ledger: String, submitter: String) throws -> [Document] {
        var found: [Document] = []
        let now = DocumentSender.now()
        for path in files { found.append(try document(in: path, ledger, submitter)) }
        for (format, path) in reports {
            let summary = try summary(of: path, format, at: try time() ?? now)
            for warning in summary.warnings { Terminal.warn("\(path): \(Printable.line(warning))") }
            guard !summary.measures.isEmpty else {
                throw CommandFailure(
                    .answerIsNo, "\(path) holds nothing to report",
                    remedy: "Check that the tool wrote its results.")
            }
            let documents = summary.documents(
                ledger: ledger, submitter: submitter, pipeline: pipeline, run: run, replaces: replaces)
            // What it was first may have filled several, too: one id would leave the others as they are.
            guard replaces == nil || documents.count == 1 else {
                throw CommandFailure(
                    .wrongUsage, "\(path) fills \(documents.count) documents, and --replaces names one",
                    remedy: "Split the report, and correct each document by one.")
            }
            found += try documents.map { try checked($0, from: path) }
        }
        if !measures.isEmpty {
            found.append(try checked(try ofMeasures(ledger, submitter, now), from: "the command line"))
        }
        return found
    }

    // MARK: Documents

    private func document(in path: String, _ ledger: String, _ submitter: String) throws -> Document {
        let bytes: [UInt8]
        if path == "-" {
            bytes = [UInt8](try FileHandle.standardInput.read(upToCount: Limits.inputBytes + 1) ?? Data())
        } else {
            bytes = try CommandFailure.reading(path, limitBytes: Limits.inputBytes)
        }
        let parsed: SealedDocument
        do throws(DocumentError) { parsed = try DocumentParser().parse(bytes) } catch {
            throw CommandFailure(
                .wrongUsage, "\(path) is not a KPI document: \(error)",
                remedy: "Mend it; kpi.xsd describes it.")
        }
        guard case .kpis(let document) = parsed else {
            throw CommandFailure(
                .wrongUsage, "\(path) is a session, not a KPI document",
                remedy: "`append` opens sessions itself.")
        }
        let expected: [(what: String, found: String?, wanted: String?)] = [
            ("ledger", document.ledger, ledger), ("submitter", document.submitter, submitter),
            ("pipeline", document.pipeline, pipeline), ("run", document.run, run),
            ("replaced document", document.replaces, replaces),
        ]
        for (what, found, wanted) in expected {
            guard let wanted, found != wanted else { continue }
            throw CommandFailure(
                .wrongUsage,
                "\(path) names the \(what) \(Printable.line(found ?? "nobody")), not \(Printable.line(wanted))",
                remedy:
                    "Mend the document, or name another ledger, identity, pipeline, run or replaced document."
            )
        }
        return Document(
            outgoing: OutgoingDocument(bytes: bytes, hasDerivedID: false), source: path, id: document.id,
            measures: document.measures.count)
    }

    private func ofMeasures(_ ledger: String, _ submitter: String, _ now: Timestamp) throws -> KPIDocument {
        let given = try time()
        let labels = try parsedLabels()
        let arguments = try measures.map(MeasureArgument.init)
        let content = Digest.sha256 { hash in
            var writer = ByteWriter()
            for argument in arguments {
                for text in [argument.name, argument.value.description, argument.unit] {
                    writer.writeSized(text)
                }
            }
            writer.writeSized(given?.description ?? "")
            for label in labels { for text in [label.name, label.value] { writer.writeSized(text) } }
            hash.update(writer.bytes)
        }
        return KPIDocument(
            ledger: ledger, submitter: submitter,
            id: KPIDocument.deriveID(
                pipeline: pipeline, run: run, replaces: replaces, contentDigest: content),
            pipeline: pipeline, run: run, replaces: replaces,
            measures: arguments.map {
                Measure(name: $0.name, unit: $0.unit, time: given ?? now, labels: labels, value: $0.value)
            })
    }

    /// What is written is read again: nothing leaves that a node would refuse.
    private func checked(_ document: KPIDocument, from source: String) throws -> Document {
        let bytes = Array(document.xml.utf8)
        do throws(DocumentError) { _ = try DocumentParser().parse(bytes) } catch {
            throw CommandFailure(
                .wrongUsage, "\(source) does not make a valid document: \(error)",
                remedy: "Check names, units, labels, --pipeline, --run and --replaces.")
        }
        return Document(
            outgoing: OutgoingDocument(bytes: bytes, hasDerivedID: true), source: source, id: document.id,
            measures: document.measures.count)
    }

    private func summary(of path: String, _ format: ReportFormat, at time: Timestamp) throws -> ReportSummary
    {
        let handle: FileHandle
        if path == "-" {
            handle = .standardInput
        } else if let file = FileHandle(forReadingAtPath: path) {
            handle = file
        } else {
            throw CommandFailure(
                .wrongUsage, "\(path) cannot be read",
                remedy: "Name a file that is there and that you may read.")
        }
        do {
            var converter = try ReportConverter(format, time: time, labels: try parsedLabels())
            while let piece = try handle.read(upToCount: Limits.inputPieceBytes), !piece.isEmpty {
                try converter.consume([UInt8](piece))
            }
            return try converter.finish()
        } catch let error as ReportError {
            throw CommandFailure(.wrongUsage, "\(path): \(error)", remedy: "Name a report of the right kind.")
        } catch let error as CocoaError {
            throw CommandFailure(
                .wrongUsage, "\(path) cannot be read: \(error.localizedDescription)", remedy: "Name a file.")
        }
    }

    // MARK: Arguments

    private func time() throws -> Timestamp? {
        try at.map { text in
            guard let time = TimeArgument.parse(text, now: DocumentSender.now()) else {
                throw ValidationError(
                    "--at “\(text)” is not a time: RFC 3339, seconds since 1970, now or -2h.")
            }
            return time
        }
    }

    private func parsedLabels() throws -> [Label] {
        try labels.map { text in
            guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                throw ValidationError("--label “\(text)” is not NAME=VALUE.")
            }
            return Label(name: String(text[..<equals]), value: String(text[text.index(after: equals)...]))
        }
        .sorted()
    }
}
