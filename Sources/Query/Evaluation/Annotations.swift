/// What whoever asked should know beside the answer; each text once.
struct Annotations: Hashable, Sendable {
    enum Kind: Hashable, Sendable { case warning, info }

    struct Annotation: Hashable, Sendable {
        let kind: Kind
        let text: String
        /// Of the expression it is about, in bytes.
        let offset: Int
    }

    private(set) var all: [Annotation] = []

    mutating func add(_ kind: Kind, _ text: String, _ place: TextRange) {
        let annotation = Annotation(kind: kind, text: text, offset: place.start)
        // One for each place of the expression at most, and expressions are short.
        if !all.contains(annotation) { all.append(annotation) }
    }

    /// As Prometheus writes them: `PromQL warning: … (1:7)`.
    func texts(_ kind: Kind, in query: String) -> [String] {
        all.filter { $0.kind == kind }.map { annotation in
            let (line, column) = QueryError.position(of: annotation.offset, in: query)
            let prefix = kind == .warning ? "PromQL warning: " : "PromQL info: "
            return "\(prefix)\(annotation.text) (\(line):\(column))"
        }
    }
}
