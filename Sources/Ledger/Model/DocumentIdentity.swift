/// What makes a document one document, however often it is sent.
public struct DocumentIdentity: Hashable, Sendable {
    public let submitter: String
    public let id: String

    public init(submitter: String, id: String) {
        self.submitter = submitter
        self.id = id
    }
}
