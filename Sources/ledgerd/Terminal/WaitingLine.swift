import Foundation

/// Says on one line of a terminal that an answer is waited for, and for how long already. Nothing of short waits, and
/// nothing where standard error is no terminal.
enum WaitingLine {
    static func during<Value: Sendable>(
        mostSeconds: Int, isShown: Bool = Terminal.errorIsTerminal,
        _ body: () async throws -> Value
    ) async throws -> Value {
        guard isShown else { return try await body() }
        let ticking = Task {
            var seconds = 0
            while (try? await Task.sleep(for: .seconds(1))) != nil {
                seconds += 1
                Terminal.writeError("\r\u{1B}[K" + line(seconds, of: mostSeconds))
            }
            return seconds > 0
        }
        let result: Result<Value, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        ticking.cancel()
        if await ticking.value { Terminal.writeError("\r\u{1B}[K") }
        return try result.get()
    }

    static func line(_ seconds: Int, of most: Int) -> String {
        "waiting for the answer for \(ProgressLine.duration(seconds: Double(seconds))), "
            + "\(ProgressLine.duration(seconds: Double(most))) at most"
    }
}
