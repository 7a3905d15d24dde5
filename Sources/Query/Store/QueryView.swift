/// What a question reads: the store's tables, at the moment that is asked about.
public struct QueryView: Sendable {
    let tables: QueryTables
    /// What was known when the log had this many entries; `.max` for now.
    let size: UInt64

    func tree(of source: SampleSource) -> (TreeID, TreeTables) {
        switch source {
        case .series(let id): (id, tables.trees)
        case .aggregate(let id): (id, tables.aggregateTrees)
        }
    }
}
