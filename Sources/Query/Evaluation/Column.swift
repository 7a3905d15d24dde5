/// One series of a result: a value, or none, for each moment asked for.
struct Column: Hashable, Sendable {
    var labels: LabelSet
    var values: [Double?]

    var isEmpty: Bool { values.allSatisfy { $0 == nil } }
}

extension Column {
    /// No value at any moment.
    init(labels: LabelSet, count: Int) {
        self.init(labels: labels, values: Array(repeating: nil, count: count))
    }

    /// The values there are, with their moments.
    func points(at grid: TimeGrid) -> PointColumn {
        var points = PointColumn(labels: labels, times: [], values: [])
        for (step, value) in values.enumerated() {
            guard let value else { continue }
            points.times.append(grid[step])
            points.values.append(value)
        }
        return points
    }
}

extension [Column] {
    static let sameLabels = QueryError(.execution, "vector cannot contain metrics with the same labelset")

    /// Refuses columns of equal labels even where they have values in turn, as Prometheus does for functions of
    /// ranges and for signs.
    func distinct() throws(QueryError) -> [Column] {
        var seen: Set<LabelSet> = []
        let columns = filter { !$0.isEmpty }
        guard columns.allSatisfy({ seen.insert($0.labels).inserted }) else { throw Self.sameLabels }
        return columns
    }

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
                    throw Self.sameLabels
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

extension PointSeries {
    /// `nil` without points.
    init?(_ column: PointColumn) {
        guard !column.times.isEmpty else { return nil }
        self.init(
            labels: column.labels,
            points: zip(column.times, column.values).map { Point(time: $0, value: $1) })
    }
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
