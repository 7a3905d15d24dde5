extension KPIDocument {
    /// - Parameter root: `<kpis>`, valid by the schema.
    init(_ root: XMLElement) throws(DocumentError) {
        let pipeline = try root.optionalLine("pipeline", limitBytes: Limits.labelValueBytes)
        var shared = LabelList()
        if let pipeline { shared.own.append(Label(name: Self.pipelineLabel, value: pipeline)) }
        var measures: [Measure] = []
        for element in root.elements {
            if element.isNamed("label") {
                try shared.add(element, pipelineIsTaken: pipeline != nil)
            } else if element.isNamed("measure") {
                guard measures.count < Limits.measuresPerDocument else {
                    throw .invalid(root, "more than \(Limits.measuresPerDocument) measures")
                }
                measures.append(
                    try Measure(element, documentLabels: shared.own, pipelineIsTaken: pipeline != nil))
            } else {
                throw .invalid(element, "the element is not known here")
            }
        }
        guard !measures.isEmpty else { throw .invalid(root, "there is no measure") }
        let id = try root.line("id", limitBytes: Limits.documentIDBytes)
        let replaces = try root.optionalLine("replaces", limitBytes: Limits.documentIDBytes)
        guard replaces != id else {
            throw .invalid(root, "the attribute \"replaces\" names the document's own id")
        }
        self.init(
            ledger: try root.line("ledger"),
            submitter: try root.line("submitter", limitBytes: Limits.identityBytes),
            id: id,
            pipeline: pipeline,
            run: try root.optionalLine("run", limitBytes: Limits.nameBytes),
            replaces: replaces,
            measures: measures)
    }

    /// The label that the attribute `pipeline` becomes.
    static let pipelineLabel = "pipeline"
}

extension Measure {
    fileprivate init(
        _ element: XMLElement, documentLabels: [Label], pipelineIsTaken: Bool
    ) throws(DocumentError) {
        var labels = LabelList()
        var text: Substring = ""
        // White space stands between the labels, and as often as one likes; it is passed over, never gathered.
        for content in element.contents {
            switch content {
            case .text(let piece):
                let trimmed = piece.trimmingXMLSpace
                guard !trimmed.isEmpty else { continue }
                guard text.isEmpty else { throw .invalid(element, "the value is in several pieces") }
                text = trimmed
            case .element(let label):
                guard text.isEmpty else { throw .invalid(element, "the value should stand after the labels") }
                try labels.add(label, pipelineIsTaken: pipelineIsTaken)
            case .comment:
                // A reader would see 12<!-- -->04 as something else than 1204.
                guard text.isEmpty else {
                    throw .invalid(element, "a comment stands inside or after the value")
                }
            }
        }
        guard let value = Quantity(text) else {
            throw .invalid(
                element,
                "\"\(DocumentError.excerpt(String(text)))\" is not a decimal of at most 18 digits, 9 behind the point"
            )
        }
        self.init(
            name: try element.unreservedName(),
            unit: try element.unit(),
            time: try element.time("at"),
            labels: try labels.merged(over: documentLabels, at: element),
            value: value)
    }
}

extension XMLElement {
    /// The attribute `name`, of a measure or a label.
    fileprivate func unreservedName() throws(DocumentError) -> String {
        let name = try line("name")
        guard !name.utf8.starts(with: "__".utf8) else {
            throw .invalid(self, "names that begin with \"__\" are reserved")
        }
        return name
    }

    fileprivate func unit() throws(DocumentError) -> String {
        guard let unit = attribute("unit"), !unit.isEmpty else { return "" }
        return try checkedLine(unit, "the attribute \"unit\"", limitBytes: Limits.nameBytes)
    }
}

/// Labels as they are gathered; few, so they are searched one by one.
private struct LabelList {
    var own: [Label] = []

    /// Names are compared as `String` does, so two spellings of one accented letter are one name: dictionaries
    /// further in would take them for one.
    mutating func add(_ element: XMLElement, pipelineIsTaken: Bool) throws(DocumentError) {
        let name = try element.unreservedName()
        guard !pipelineIsTaken || name != KPIDocument.pipelineLabel else {
            throw .invalid(element, "the label \"pipeline\" is taken by the attribute of the document")
        }
        guard !own.contains(where: { $0.name == name }) else {
            throw .invalid(element, "the label \"\(DocumentError.excerpt(name))\" occurs twice")
        }
        guard own.count < Limits.labelsPerMeasure else {
            throw .invalid(element, "more than \(Limits.labelsPerMeasure) labels")
        }
        own.append(Label(name: name, value: try element.onlyLine(limitBytes: Limits.labelValueBytes)))
    }

    /// The labels with those of the document that have another name, sorted.
    func merged(over document: [Label], at element: XMLElement) throws(DocumentError) -> [Label] {
        var all = own
        for shared in document where !own.contains(where: { $0.name == shared.name }) { all.append(shared) }
        guard all.count <= Limits.labelsPerMeasure else {
            throw .invalid(element, "more than \(Limits.labelsPerMeasure) labels, the document's included")
        }
        all.sort()
        return all
    }
}
