/// What can go wrong between a node and its disk.
public enum StoreError: Error, Hashable, Sendable {
    /// The disk, or the map of the store, has no room. Nothing of the transaction was written.
    case full(directory: String)
    /// Another process has the directory open for writing.
    case locked(directory: String)
    /// The directory holds another format than this program writes.
    case otherFormat(directory: String, found: UInt32, expected: UInt32)
    /// There is no store where one was expected.
    case missing(directory: String)
    /// Stored bytes do not say what they should. `place` names the table and key.
    case damaged(place: String, reason: String)
    /// The operating system or LMDB refused.
    case system(operation: String, code: Int32, reason: String)
}

extension StoreError {
    /// Whether an error number says that there is no room: ENOSPC; EDQUOT, the user's share is used up; EFBIG, the
    /// file may not grow.
    static func meansFull(_ code: Int32) -> Bool { [28, 122, 27].contains(code) }
}

extension StoreError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .full(let directory):
            "no room left on the disk of \(directory): free some space; nothing was written"
        case .locked(let directory):
            "\(directory) is in use by another process: stop it first"
        case .otherFormat(let directory, let found, let expected):
            "\(directory) has format \(found), this program writes \(expected): use the version that wrote it"
        case .missing(let directory):
            "\(directory) holds no store"
        case .damaged(let place, let reason):
            "store damaged: \(place): \(reason)"
        case .system(let operation, let code, let reason):
            "\(operation) failed: \(reason) (\(code))"
        }
    }
}
