/// The version of this program.
enum LedgerVersion {
    static let text = "0.1.0"
}
