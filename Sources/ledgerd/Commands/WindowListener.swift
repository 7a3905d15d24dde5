import Foundation
import Ledger
import Query

/// Prints the windows of one continuous aggregate as they are said, until the command is ended. Connections come to an
/// end, with their tokens or with a node; the sequence goes on with the next one.
struct WindowListener {
    let context: ClientContext
    let name: String
    let isJSON: Bool

    /// - Parameter start: the id of an emission; without it, those that come from now on.
    func run(after start: String?) async throws {
        var position = start
        var isFirst = true
        while true {
            let (last, trouble) = try await listen(after: position)
            if isFirst, last == nil, let trouble { throw CommandFailure(trouble) }
            isFirst = false
            position = last ?? position
            if let trouble { Terminal.note("the stream broke off, it is asked for again: \(trouble.reason)") }
            try await Task.sleep(for: .seconds(trouble == nil ? 1 : Limits.listenPauseSeconds))
        }
    }

    /// One connection.
    ///
    /// - Returns: The last id that it told, and what ended it if that was not in order.
    private func listen(after position: String?) async throws -> (last: String?, trouble: ClientFailure?) {
        var form = [(name: "windows", value: name)]
        if let position { form.append(("after", position)) }
        let path = "/v1/stream?" + String(decoding: LedgerClient.body(form), as: UTF8.self)
        return try await context.withClient(as: .analyst) { client in
            var parser = EventParser()
            var last: String?
            do {
                try await client.stream(path) { piece, _ in
                    for event in try parser.events(in: piece) {
                        last = event.id ?? last
                        if event.name == "window" { try show(event) }
                    }
                }
                return (last, nil)
            } catch let failure as ClientFailure {
                guard case .away = failure else { throw failure }
                return (last, failure)
            }
        }
    }

    private func show(_ event: EventParser.Event) throws {
        guard let position = event.id.flatMap({ WindowPosition($0) }),
            let window = try? JSONDecoder().decode(WindowRoutes.Window.self, from: Data(event.data.utf8))
        else { throw ClientFailure.nonsense("a window came in another form") }
        Terminal.writeLine(
            isJSON ? "{\"position\":\"\(position)\",\"window\":\(event.data)}" : Self.line(window))
    }

    /// `start 2026-11-22T09:00:00.000Z, …, pipeline shop/web, count 3, sum 3, …, state closed`
    static func line(_ window: WindowRoutes.Window) -> String {
        let table = TextTable([window], isExact: false)
        var parts = zip(table.columns, table.rows.first ?? []).filter { !$1.isEmpty }
            .map { "\($0.title) \($1)" }
        if let superseded = window.supersedes, !superseded.isEmpty {
            parts.append("in place of \(superseded.joined(separator: " and "))")
        }
        return Printable.line(parts.joined(separator: ", "), limit: .max)
    }
}
