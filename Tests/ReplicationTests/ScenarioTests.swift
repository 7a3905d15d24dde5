import Foundation
import Replication
import Simulation
import Testing

/// The histories under `Scenarios`: each goes as its file says, and where it names a defect, fails with it.
///
/// `UPDATE_SCENARIOS=1 swift test --filter Scenario` writes the answers into the files; their diff is read like code.
@Suite struct `A scenario` {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "Scenarios")

    static var names: [String] {
        let files = try? FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
        return (files ?? []).filter { $0.hasSuffix(".scenario") }.sorted()
    }

    @Test(arguments: names)
    func `goes as its file says`(name: String) throws {
        let file = Self.folder.appending(path: name)
        let written = try String(contentsOf: file, encoding: .utf8)
        let performance = try Scenario(written).perform(pool: try EntryPool.shared())
        for problem in performance.problems { Issue.record("\(name), \(problem)") }
        if ProcessInfo.processInfo.environment["UPDATE_SCENARIOS"] == "1" {
            if performance.text != written {
                try performance.text.write(to: file, atomically: true, encoding: .utf8)
            }
        } else if performance.text != written {
            Issue.record("\(name) goes otherwise:\n\(difference(from: written, to: performance.text))")
        }
    }

    @Test func `is there for each failure that issue and protocol name`() {
        #expect(Self.names.count >= 16, "files are missing, or not found")
    }

    /// Lines that went and came, with the last one that stayed before them.
    private func difference(from old: String, to new: String) -> String {
        let (old, new) = (lines(old), lines(new))
        let changes = new.difference(from: old)
        var removed: Set<Int> = []
        var inserted: Set<Int> = []
        for change in changes {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        var text: [String] = []
        var (left, right) = (0, 0)
        var isShown = false
        while left < old.count || right < new.count {
            if removed.contains(left) || inserted.contains(right) {
                if !isShown, left > 0 { text.append("  \(left): \(old[left - 1])") }
                isShown = true
                if removed.contains(left) {
                    text.append("- \(old[left])")
                    left += 1
                } else {
                    text.append("+ \(new[right])")
                    right += 1
                }
            } else {
                isShown = false
                left += 1
                right += 1
            }
        }
        return text.joined(separator: "\n")
    }

    private func lines(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}
