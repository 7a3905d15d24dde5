import Foundation
import Replication
import Simulation
import Testing

/// The histories under `Scenarios`: each goes as its file says, and where it names a defect, fails with it.
///
/// `UPDATE_SCENARIOS=1 swift test --filter Scenario` writes the answers into the files; their diff is read like code.
@Suite struct `A scenario` {
    @Test(arguments: try ScenarioFile.all())
    func `goes as its file says`(file: ScenarioFile) throws {
        let performance = try Scenario(file.text).perform(pool: try EntryPool.shared())
        for problem in performance.problems { Issue.record("\(file.name), \(problem)") }
        // What a defect brings about is not to be seen in a release build.
        #if DEBUG
            if ProcessInfo.processInfo.environment["UPDATE_SCENARIOS"] == "1" {
                try performance.text.write(to: file.url, atomically: true, encoding: .utf8)
            } else if performance.text != file.text {
                Issue.record(
                    "\(file.name) goes otherwise:\n\(difference(from: file.text, to: performance.text))")
            }
        #endif
    }

    @Test func `says what it stands for`() throws {
        let files = try ScenarioFile.all()
        #expect(!files.isEmpty)
        for file in files { #expect(file.text.hasPrefix("# "), "\(file.name) begins without a comment") }
    }

    @Test func `points at the line that it cannot read`() throws {
        let pool = try EntryPool.shared()
        for (text, line) in [
            ("nodes 4\nrun fast", 2), ("jump", 1), ("nodes 4\nrun 1s\nnodes 7", 3), ("crash 9", 1),
            ("nodes 4\nlie 1: prepare b1.0 to 2", 2), ("expect a final", 1), ("broken by magic", 1),
            ("submit a at 0 at once", 1),
        ] {
            #expect { try Scenario(text).perform(pool: pool) } throws: {
                ($0 as? Scenario.Misspelt)?.line == line
            }
        }
    }

    @Test func `fails where an expectation is not met, and where nobody notices a defect`() throws {
        let pool = try EntryPool.shared()
        let unmet = try Scenario("nodes 4\nsubmit a at 0\nexpect a final on 3\nrun 1s").perform(pool: pool)
        #expect(unmet.problems == ["line 3: a final on n3: it is not so"])
        #if DEBUG
            let quiet = try Scenario("nodes 4\nrun 1s\nbroken by lowestBase").perform(pool: pool)
            #expect(quiet.problems == ["line 3: nobody notices lowestBase"])
        #endif
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

/// A file under `Scenarios`.
struct ScenarioFile: Sendable, CustomTestStringConvertible {
    let url: URL
    let text: String

    var name: String { url.lastPathComponent }
    var testDescription: String { name }

    static func all() throws -> [ScenarioFile] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Scenarios")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
        return try names.filter { $0.hasSuffix(".scenario") }.sorted().map { name in
            let url = folder.appending(path: name)
            return ScenarioFile(url: url, text: try String(contentsOf: url, encoding: .utf8))
        }
    }
}
