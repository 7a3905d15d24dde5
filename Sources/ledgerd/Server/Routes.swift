import Hummingbird

/// Every address that a node answers, and who answers it. Who may ask is each route's first line.
enum Routes {
    static func router(_ node: Node) -> Router<NodeContext> {
        let router = Router(context: NodeContext.self)
        router.middlewares.add(ProblemMiddleware())
        router.middlewares.add(AccessMiddleware(node: node))

        let entries = EntryRoutes(node: node)
        router.post("/v1/entries", use: entries.append)
        router.post("/v1/governance", use: entries.govern)
        router.get("/v1/entries/:index", use: entries.entry)
        router.get("/v1/entries/:index/statement", use: entries.statement)
        router.get("/v1/entries/:index/payload", use: entries.payload)
        router.get("/v1/entries/:index/proof", use: entries.proof)
        router.get("/v1/entries/:index/document", use: entries.document)

        let log = LogRoutes(node: node)
        router.get("/checkpoint", use: log.checkpoint)
        router.get("/tile/**", use: log.tile)
        router.get("/v1/consistency", use: log.consistency)
        router.get("/v1/blocks", use: log.blocks)

        let ledger = LedgerRoutes(node: node)
        router.get("/v1/nodes", use: ledger.nodes)
        router.get("/v1/genesis", use: ledger.genesis)
        router.get("/v1/policy", use: ledger.policy)
        router.get("/healthz", use: ledger.health)
        router.get("/readyz", use: ledger.readiness)
        router.get("/metrics", use: ledger.metrics)

        let queries = QueryRoutes(node: node)
        for method in [HTTPRequest.Method.get, .post] {
            router.on("/api/v1/query", method: method, use: queries.instant)
            router.on("/api/v1/query_range", method: method, use: queries.range)
            router.on("/api/v1/series", method: method, use: queries.series)
            router.on("/api/v1/labels", method: method, use: queries.labels)
            router.on("/api/v1/format_query", method: method, use: queries.format)
        }
        router.get("/api/v1/label/:name/values", use: queries.labelValues)
        router.get("/api/v1/metadata", use: queries.metadata)
        router.get("/api/v1/status/buildinfo", use: queries.buildInformation)
        return router
    }
}
