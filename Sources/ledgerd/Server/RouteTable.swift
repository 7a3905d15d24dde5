import HTTPTypes
import Hummingbird

/// Every address that a node answers: which methods it takes, and in what form it answers.
///
/// The router alone would answer 404 where an address takes another method.
struct RouteTable: Sendable {
    typealias Answer = @Sendable (Request, NodeContext) async throws -> Response

    private struct Address: Sendable {
        let segments: [Substring]
        var methods: [String]
    }

    private var addresses: [Address] = []
    private var routes: [(method: HTTPRequest.Method, path: String, offers: String, answer: Answer)] = []

    /// - Parameters:
    ///   - path: `:name` stands for one segment, `**` for all that follow.
    ///   - offers: the media type of the answer; several with commas between them.
    mutating func add(
        _ method: HTTPRequest.Method, _ path: String, offers: String, use answer: @escaping Answer
    ) {
        routes.append((method, path, offers, answer))
        let segments = path.split(separator: "/")
        // Whoever may GET may ask for the head alone.
        let methods = method == .get ? ["GET", "HEAD"] : [method.rawValue]
        if let position = addresses.firstIndex(where: { $0.segments == segments }) {
            addresses[position].methods += methods
        } else {
            addresses.append(Address(segments: segments, methods: methods))
        }
    }

    func register(with router: Router<NodeContext>) {
        for (method, path, offers, answer) in routes {
            router.on(RouterPath(path), method: method) { request, context in
                let accepted = request.headers[values: .accept]
                guard
                    offers.split(separator: ",").contains(where: { MediaRange.accepts(String($0), accepted) })
                else {
                    throw Problem.notAcceptable(offers)
                }
                return try await answer(request, context)
            }
        }
    }

    /// The methods that an address takes; none where there is no such address.
    func methods(at path: String) -> [String] {
        let segments = path.split(separator: "/")
        return addresses.first { Self.matches($0.segments, segments) }?.methods ?? []
    }

    private static func matches(_ pattern: [Substring], _ segments: [Substring]) -> Bool {
        for (position, part) in pattern.enumerated() {
            if part == "**" { return segments.count > position }
            guard position < segments.count else { return false }
            if part.hasPrefix(":") || part == segments[position] { continue }
            return false
        }
        return pattern.count == segments.count
    }
}
