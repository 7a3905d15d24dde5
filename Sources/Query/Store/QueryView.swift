/// What a question reads: the store's tables, at the moment that is asked about.
public struct QueryView: Sendable {
    let tables: QueryTables
    /// What was known when the log had this many entries; `.max` for now.
    let size: UInt64
}
