/// A function of the points in a window, as `rate` is of `x[5m]`.
struct WindowFunction: Sendable {
    /// Where the store's exact values, or their rollups, give the answer.
    let exact: ExactFunction?
    /// Which of the arguments is the range vector; the others are scalars.
    let rangePosition: Int
    let keepsName: Bool
    /// `nil` where the window has no answer.
    let compute: @Sendable (PointWindow) throws(QueryError) -> Double?

    init(
        exact: ExactFunction? = nil, rangePosition: Int = 0, keepsName: Bool = false,
        _ compute: @escaping @Sendable (PointWindow) throws(QueryError) -> Double?
    ) {
        self.exact = exact
        self.rangePosition = rangePosition
        self.keepsName = keepsName
        self.compute = compute
    }
}

/// The points of one window, at least one, in order.
struct PointWindow {
    let times: ArraySlice<Int64>
    let values: ArraySlice<Double>
    let window: TimeWindow
    /// The moment of evaluation, which `offset` and `@` leave alone.
    let moment: Int64
    /// The scalar arguments.
    let parameters: [Double]

    var count: Int { values.count }
    var firstTime: Int64 { times.first ?? window.after }
    var lastTime: Int64 { times.last ?? window.through }
    var firstValue: Double { values.first ?? .nan }
    var lastValue: Double { values.last ?? .nan }
}

/// Points of one series, in order.
struct PointColumn: Sendable {
    var labels: LabelSet
    var times: [Int64]
    var values: [Double]

    /// The function of each window that ends at one of `ends`.
    ///
    /// - Parameters:
    ///   - moments: of the evaluation, one for each end.
    ///   - parameters: for each step.
    func values(
        of function: WindowFunction, windowMilliseconds: Int64, ends: TimeGrid, moments: TimeGrid,
        parameters: (Int) -> [Double], _ context: borrowing QueryContext
    ) throws(QueryError) -> [Double?] {
        var result: [Double?] = []
        result.reserveCapacity(ends.count)
        var first = 0
        var beyond = 0
        for step in ends.indices {
            let window = TimeWindow(after: ends[step] - windowMilliseconds, through: ends[step])
            while beyond < times.count, times[beyond] <= window.through { beyond += 1 }
            while first < beyond, times[first] <= window.after { first += 1 }
            guard first < beyond else {
                result.append(nil)
                continue
            }
            try context.checkInterruption()
            result.append(
                try function.compute(
                    PointWindow(
                        times: times[first..<beyond], values: values[first..<beyond], window: window,
                        moment: moments[step], parameters: parameters(step))))
        }
        return result
    }
}
