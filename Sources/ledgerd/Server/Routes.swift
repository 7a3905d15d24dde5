import Hummingbird

/// Every address that a node answers, and who answers it. Who may ask is each route's first line.
enum Routes {
    static func router(_ node: Node, _ deadlines: Deadlines = Deadlines()) -> Router<NodeContext> {
        let table = table(node, deadlines)
        let router = Router(context: NodeContext.self, options: .autoGenerateHeadEndpoints)
        router.middlewares.add(ProblemMiddleware(table: table))
        router.middlewares.add(AccessMiddleware(node: node))
        table.register(with: router)
        return router
    }

    static func table(_ node: Node, _ deadlines: Deadlines = Deadlines()) -> RouteTable {
        var table = RouteTable()
        let entries = EntryRoutes(node: node)
        table.add(.post, "/v1/entries", offers: text, use: entries.append)
        table.add(.post, "/v1/governance", offers: text, use: entries.govern)
        table.add(.get, "/v1/entries/:index", offers: json, use: entries.entry)
        table.add(.get, "/v1/entries/:index/statement", offers: "application/cms", use: entries.statement)
        table.add(.get, "/v1/entries/:index/payload", offers: "application/cms", use: entries.payload)
        table.add(.get, "/v1/entries/:index/proof", offers: text, use: entries.proof)
        table.add(.get, "/v1/entries/:index/document", offers: json, use: entries.document)

        let log = LogRoutes(node: node)
        table.add(.get, "/checkpoint", offers: text, use: log.checkpoint)
        table.add(.get, "/tile/**", offers: "application/octet-stream", use: log.tile)
        table.add(.get, "/v1/consistency", offers: json, use: log.consistency)
        table.add(.get, "/v1/blocks", offers: "application/x-ndjson", use: log.blocks)

        let ledger = LedgerRoutes(node: node)
        table.add(.get, "/v1/nodes", offers: json, use: ledger.nodes)
        table.add(.get, "/v1/genesis", offers: "application/xml", use: ledger.genesis)
        table.add(.get, "/v1/policy", offers: text, use: ledger.policy)
        table.add(.get, "/healthz", offers: json, use: ledger.health)
        table.add(.get, "/readyz", offers: json, use: ledger.readiness)
        table.add(.get, "/v1/evidence", offers: json, use: EvidenceRoutes(node: node).list)
        table.add(.get, "/metrics", offers: "application/openmetrics-text", use: ledger.metrics)

        let queries = QueryRoutes(node: node)
        for method in [HTTPRequest.Method.get, .post] {
            table.add(method, "/api/v1/query", offers: json, use: queries.instant)
            table.add(method, "/api/v1/query_range", offers: json, use: queries.range)
            table.add(method, "/api/v1/series", offers: json, use: queries.series)
            table.add(method, "/api/v1/labels", offers: json, use: queries.labels)
            table.add(method, "/api/v1/format_query", offers: json, use: queries.format)
            table.add(method, "/v1/explain", offers: json, use: queries.explain)
        }
        table.add(.get, "/api/v1/label/:name/values", offers: json, use: queries.labelValues)
        table.add(.get, "/api/v1/metadata", offers: json, use: queries.metadata)
        table.add(.get, "/api/v1/status/buildinfo", offers: json, use: queries.buildInformation)

        let windows = WindowRoutes(node: node)
        table.add(.get, "/v1/windows", offers: json, use: windows.names)
        table.add(.get, "/v1/windows/:name", offers: json, use: windows.windows)
        let streams = StreamRoutes(node: node, deadlines: deadlines)
        table.add(.get, "/v1/stream", offers: "text/event-stream", use: streams.stream)

        let feed = FeedRoutes(node: node, deadlines: deadlines)
        table.add(.get, "/v1/feed", offers: "application/x-ndjson", use: feed.feed)
        let export = ExportRoutes(node: node, deadlines: deadlines)
        for method in [HTTPRequest.Method.get, .post] {
            // In which of the two, its parameter says.
            table.add(method, "/v1/export", offers: "application/x-ndjson, text/csv", use: export.export)
        }
        return table
    }

    private static let json = "application/json"
    private static let text = "text/plain"
}
