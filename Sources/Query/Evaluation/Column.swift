/// One series of a result: a value, or none, for each moment asked for.
struct Column: Hashable, Sendable {
    var labels: LabelSet
    var values: [Double?]

    var isEmpty: Bool { values.allSatisfy { $0 == nil } }
}

extension [Column] {
    /// Joins columns of equal labels, which arise when the metric name is dropped. Two values at one moment would be
    /// two answers to one question.
    func joined() throws(QueryError) -> [Column] {
        var result: [Column] = []
        var places: [LabelSet: Int] = [:]
        for column in self where !column.isEmpty {
            guard let place = places[column.labels] else {
                places[column.labels] = result.count
                result.append(column)
                continue
            }
            for (step, value) in column.values.enumerated() {
                guard let value else { continue }
                guard result[place].values[step] == nil else {
                    throw QueryError(.execution, "vector cannot contain metrics with the same labelset")
                }
                result[place].values[step] = value
            }
        }
        return result
    }
}

/// The answer to `name[5m]`, and of range queries: a series with its points.
public struct PointSeries: Hashable, Sendable {
    public let labels: LabelSet
    public let points: [Point]
}

/// A value at a moment.
public struct Point: Hashable, Sendable {
    /// Milliseconds since 1970.
    public let time: Int64
    public let value: Double

    /// By the bits, so that not-a-number equals itself.
    public static func == (left: Self, right: Self) -> Bool {
        left.time == right.time && left.value.bitPattern == right.value.bitPattern
    }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(time)
        hasher.combine(value.bitPattern)
    }
}
