import HTTPTypes
import Hummingbird
import Ledger
import Query

/// `/v1/export`: every sample of some series, as it was measured.
struct ExportRoutes: Sendable {
    let node: Node
    let deadlines: Deadlines

    /// Tells how many samples follow, for whoever shows progress.
    static let countField = "Ledger-Samples"

    @Sendable func export(_ request: Request, _ context: NodeContext) async throws -> Response {
        try context.require(.analyst)
        let parameters = try await QueryParameters(request, node.bodies)
        guard let place = node.exportPlaces.take() else { throw Problem.tooManyExports }
        let (format, export, count): (ExportFormat, SampleExport, UInt64)
        do throws(QueryError) {
            format = try parameters.exportFormat()
            guard let begun = try await begin(parameters) else { return QueryRoutes.busy(node) }
            (export, count) = begun
        } catch { return QueryRoutes.response(error, node) }

        let (node, deadlines, channel) = (node, deadlines, context.channel)
        let response = Response.streamed(format.mediaType) { writer in
            defer { withExtendedLifetime(place) {} }
            var export = export
            var out = StreamWriter(writer, channel, silence: deadlines.silence)
            try await out.write(format.head)
            while true {
                let (rest, page) = try await Self.next(export, node)
                guard let page else { break }
                export = rest
                try await out.write(try format.lines(page))
            }
            try await out.finish()
        }
        guard let field = HTTPField.Name(Self.countField) else { return response }
        return response.with(field, "\(count)")
    }

    /// - Returns: `nil` where the line of queries is full.
    private func begin(_ parameters: QueryParameters) async throws(QueryError) -> (SampleExport, UInt64)? {
        let deadline = ContinuousClock.now + .milliseconds(try parameters.timeout())
        let size = try await node.size(asOf: parameters, by: deadline)
        let start = try parameters.time("start") ?? .earliest
        let end = try parameters.time("end") ?? .latest
        let store = node.queries
        let begun = await node.queryPlaces.run { () throws(QueryError) in
            let export = try SampleExport(
                store, parameters.all("match[]"), from: start, through: end, asOf: size)
            return (export, try export.count { ContinuousClock.now > deadline ? .timeout : nil })
        }
        return try begun?.get()
    }

    /// Each page takes its turn among the queries, so that an export keeps no place while its reader is slow.
    private static func next(
        _ export: SampleExport, _ node: Node
    ) async throws -> (SampleExport, SampleExport.Page?) {
        while true {
            let result = await node.queryPlaces.run { () throws(QueryError) in
                var export = export
                let page = try export.next()
                return (export, page)
            }
            if let result { return try result.get() }
            try await Task.sleep(for: .milliseconds(Limits.exportPauseMilliseconds))
        }
    }
}

extension QueryParameters {
    fileprivate func exportFormat() throws(QueryError) -> ExportFormat {
        guard let text = first("format"), !text.isEmpty else { return .ndjson }
        guard let format = ExportFormat(rawValue: text) else {
            throw invalid("format", text, "csv or ndjson")
        }
        return format
    }
}
