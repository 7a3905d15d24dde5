import HTTPTypes
import Hummingbird
import Ledger
import Logging

/// Turns every error into an answer of the table, so that nothing of the inside leaks.
struct ProblemMiddleware: RouterMiddleware {
    typealias Context = NodeContext
    let table: RouteTable

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let problem as Problem {
            return try problem.response()
        } catch let error as HTTPError {
            return try problem(error, at: request.uri.path).response()
        } catch let error as StoreError {
            context.logger.error("the store failed", metadata: ["error": "\(error)"])
            return try Problem(error).response()
        } catch {
            context.logger.error("a request failed", metadata: ["error": "\(error)"])
            return try Problem.failed.response()
        }
    }

    private func problem(_ error: HTTPError, at path: String) -> Problem {
        switch error.status {
        case .notFound:
            let methods = table.methods(at: path)
            return methods.isEmpty ? .notFound : .method.with(.allow, methods.joined(separator: ", "))
        default: return Problem("request", error.status, error.body ?? error.status.reasonPhrase)
        }
    }
}
