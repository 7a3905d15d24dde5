/// Numbers that shape a tree.
struct TreeShape: Hashable, Sendable {
    /// Samples of a sealed chunk when it is made.
    let chunk: Int
    /// What late samples may fill a chunk up to before it is cut.
    let chunkLimit: Int
    /// Samples that wait in the head, in whatever order they came, until those that are complete are sealed.
    let headLimit: Int
    /// Samples of the head that are written as they come; with more, all of it is packed like a chunk.
    let looseLimit = 24
    /// The newest samples stay in the head when others are sealed: what comes a little late still finds them there.
    let keptInHead: Int
    /// Children of a node: with so many it stays below half a page of LMDB, above which it would take a whole one.
    let fanOut: Int
    /// What nodes know of the samples below them.
    let parts: Rollup.Parts

    /// Smaller chunks would cost more for their branches than they save at the edges of a window.
    static let series = TreeShape(
        chunk: 80, chunkLimit: 160, headLimit: 112, keptInHead: 32, fanOut: 28, parts: .all)
    /// Without places in the log a sample takes half as much. Nobody asks for the first of many series, or the last.
    static let aggregate = TreeShape(
        chunk: 128, chunkLimit: 256, headLimit: 160, keptInHead: 8, fanOut: 32,
        parts: [.sum, .squares, .extremes])

    /// No chunk is larger, whatever bytes say. So many squares of 18 digits still fit 128 bits.
    static let largestChunk = 256
}
