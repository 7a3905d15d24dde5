import ArgumentParser
import Foundation
import Ledger

/// `ledgerd status`: how each node is doing.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the nodes: height, size, view, lag, state.",
        discussion:
            "Ends with status 0 only if every node is ready. The lag counts entries behind the newest node.")

    @OptionGroup var client: ClientOptions

    @Option(help: "text or json.")
    var format: OutputFormat = .text

    /// What a node says about itself.
    struct Health: Decodable, Sendable {
        let ready: Bool
        let reasons: [String]
        let node: String
        let height: UInt64
        let view: UInt64
        let size: UInt64
        let queried: UInt64
        let currentView: UInt64?
        let primary: String?
        let evidence: [Evidence]?
    }

    /// A proof that a node lied, in a line.
    struct Evidence: Codable, Sendable, Hashable {
        let node: String
        let what: String
        /// Where it is on record.
        let entry: UInt64?
    }

    struct Row: Encodable, Sendable {
        let name: String
        let url: String
        let height: UInt64?
        let size: UInt64?
        let view: UInt64?
        /// Who orders in the view, as this node sees it.
        let primary: String?
        /// Proofs that a node lied, which this node knows.
        let evidence: [Evidence]
        /// Entries behind the newest node, in the log and in the queries.
        var lag: UInt64?
        var queryLag: UInt64?
        let state: String
        let ready: Bool
    }

    func run() async throws {
        let context = try await client.resolve()
        let rows = try await context.withClient { client in try await Self.rows(of: client) }
        switch format {
        case .json: try Terminal.printJSON(rows)
        case .text:
            print(Self.table(rows).aligned, terminator: "")
            for line in Self.evidence(rows) { print(line) }
        }
        guard rows.contains(where: { $0.height != nil }) else {
            throw CommandFailure(
                .unreachable, "no node could be reached",
                remedy: "Start one: `ledgerd serve --directory DIR/node1`, or `ledgerd up`.")
        }
        let waiting = rows.filter { !$0.ready }
        guard waiting.isEmpty else {
            throw CommandFailure(
                .answerIsNo,
                "not ready: \(waiting.map { $0.name == "-" ? $0.url : $0.name }.joined(separator: ", "))",
                remedy: "See the state above, and the output of the node.")
        }
    }

    /// The nodes at the addresses that are known, and the other members that one of them names.
    private static func rows(of client: LedgerClient) async throws -> [Row] {
        let members = (try? await client.nodes().nodes) ?? []
        var rows: [Row] = []
        for url in client.urls {
            rows.append(await row(url, client, name: members.first { $0.url == url }?.name))
        }
        for member in members
        where !rows.contains(where: { $0.name == member.name || $0.url == member.url }) {
            rows.append(await row(member.url, client, name: member.name))
        }
        let newest = rows.compactMap(\.size).max() ?? 0
        for index in rows.indices {
            rows[index].lag = rows[index].size.map { newest - min(newest, $0) }
        }
        return rows
    }

    private static func row(_ url: String, _ client: LedgerClient, name: String?) async -> Row {
        do throws(ClientFailure) {
            let answer = try await client.get("/readyz", at: url)
            let health: Health = try LedgerClient.decode(answer, "/readyz")
            let reasons = health.reasons.map { Printable.line($0) }.joined(separator: "; ")
            return Row(
                name: Printable.line(health.node), url: url, height: health.height, size: health.size,
                view: health.currentView ?? health.view, primary: health.primary.map { Printable.line($0) },
                evidence: (health.evidence ?? []).map {
                    Evidence(node: Printable.line($0.node), what: Printable.line($0.what), entry: $0.entry)
                }, lag: nil,
                queryLag: health.size - min(health.size, health.queried),
                state: health.ready ? "ready" : reasons.isEmpty ? "not ready" : reasons, ready: health.ready)
        } catch {
            let reason = if case .away(let reason, _) = error { reason } else { "answers nonsense" }
            return Row(
                name: name.map { Printable.line($0) } ?? "-", url: url, height: nil, size: nil, view: nil,
                primary: nil, evidence: [], lag: nil, queryLag: nil, state: "unreachable: \(reason)",
                ready: false)
        }
    }

    /// Whichever node knows it, a line for each lie, and how to put on record what is not yet.
    static func evidence(_ rows: [Row]) -> [String] {
        var known: [Evidence] = []
        for one in rows.flatMap(\.evidence) {
            if let position = known.firstIndex(where: { $0.node == one.node && $0.what == one.what }) {
                if known[position].entry == nil { known[position] = one }
            } else {
                known.append(one)
            }
        }
        var lines = known.map { one in
            let place = one.entry.map { "on record: entry \($0)" } ?? "not on record yet"
            return "proven lie of \(one.node): \(one.what) (\(place))"
        }
        if known.contains(where: { $0.entry == nil }) {
            lines.append("`ledgerd evidence record` puts such a proof into the log, where everyone sees it.")
        }
        return lines
    }

    private static func table(_ rows: [Row]) -> TextTable {
        var table = TextTable([
            .init(title: "node"), .init(title: "address"), .init(title: "height", alignment: .right),
            .init(title: "size", alignment: .right), .init(title: "view", alignment: .right),
            .init(title: "primary"),
            .init(title: "lag", alignment: .right), .init(title: "query lag", alignment: .right),
            .init(title: "state"),
        ])
        func text(_ number: UInt64?) -> String { number.map { String($0) } ?? "-" }
        for row in rows {
            table.append([
                row.name, row.url, text(row.height), text(row.size), text(row.view), row.primary ?? "-",
                text(row.lag),
                text(row.queryLag), row.state,
            ])
        }
        return table
    }
}
