import Foundation
import Ledger

/// The data of an answer of the Prometheus HTTP API.
enum QueryAnswer: Sendable, Equatable {
    struct Series: Sendable, Equatable {
        /// Sorted by name; `__name__` is the metric's.
        let labels: [Label]
        let points: [Point]

        subscript(_ name: String) -> String { labels.first { $0.name == name }?.value ?? "" }

        /// As PromQL writes it: `test_cases{test_result="passed"}`.
        var title: String {
            let others = labels.filter { $0.name != "__name__" }
            guard !others.isEmpty || self["__name__"].isEmpty else { return self["__name__"] }
            return self["__name__"] + "{"
                + others.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ", ") + "}"
        }
    }

    struct Point: Sendable, Equatable {
        /// Seconds since 1970.
        let time: Double
        /// As the API wrote it: `312.5`, `NaN`, `+Inf`.
        let text: String
        var value: Double { Double(text.replacingOccurrences(of: "Inf", with: "inf")) ?? .nan }
    }

    /// An instant answer: one point a series.
    case vector([Series])
    case matrix([Series])
    case scalar(Point)
    case string(Point)

    /// Every series; a scalar or a string is one without labels.
    var series: [Series] {
        switch self {
        case .vector(let series), .matrix(let series): series
        case .scalar(let point), .string(let point): [Series(labels: [], points: [point])]
        }
    }
}

extension QueryAnswer: Decodable {
    private enum Keys: CodingKey { case status, data, resultType, result }

    init(from decoder: any Decoder) throws {
        let data = try decoder.container(keyedBy: Keys.self).nestedContainer(
            keyedBy: Keys.self, forKey: .data)
        switch try data.decode(String.self, forKey: .resultType) {
        case "vector": self = .vector(try data.decode([Series].self, forKey: .result))
        case "matrix": self = .matrix(try data.decode([Series].self, forKey: .result))
        case "scalar": self = .scalar(try data.decode(Point.self, forKey: .result))
        case "string": self = .string(try data.decode(Point.self, forKey: .result))
        case let other:
            throw DecodingError.dataCorruptedError(
                forKey: .resultType, in: data, debugDescription: "\(other) is no result type")
        }
    }
}

extension QueryAnswer.Series: Decodable {
    private enum Keys: CodingKey { case metric, value, values }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        labels = try container.decode([String: String].self, forKey: .metric)
            .map { Label(name: $0.key, value: $0.value) }.sorted()
        if let value = try container.decodeIfPresent(QueryAnswer.Point.self, forKey: .value) {
            points = [value]
        } else {
            points = try container.decode([QueryAnswer.Point].self, forKey: .values)
        }
    }
}

extension QueryAnswer.Point: Decodable {
    init(from decoder: any Decoder) throws {
        var pair = try decoder.unkeyedContainer()
        time = try pair.decode(Double.self)
        text = try pair.decode(String.self)
    }
}

/// What the Prometheus HTTP API says beside an answer.
struct QueryRemarks: Decodable, Sendable, Equatable {
    let warnings: [String]?
    let infos: [String]?
}
