import Hummingbird
import Ledger
import Logging

/// Turns every error into an answer of the table, so that nothing of the inside leaks.
struct ProblemMiddleware: RouterMiddleware {
    typealias Context = NodeContext

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let problem as Problem {
            return try problem.response()
        } catch let error as HTTPError {
            return try Self.problem(error).response()
        } catch let error as StoreError {
            context.logger.error("the store failed", metadata: ["error": "\(error)"])
            return try Problem(error).response()
        } catch {
            context.logger.error("a request failed", metadata: ["error": "\(error)"])
            return try Problem.failed.response()
        }
    }

    private static func problem(_ error: HTTPError) -> Problem {
        switch error.status {
        case .notFound: .notFound
        case .methodNotAllowed: .method
        case .contentTooLarge: .tooLarge(limitBytes: Limits.submissionBytes)
        default: Problem("request", error.status, error.body ?? error.status.reasonPhrase)
        }
    }
}
