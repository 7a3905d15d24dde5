import Foundation
import Ledger

/// What an auditor's run found, as it is shown and passed between processes.
struct AuditOutcome: Codable, Sendable {
    struct Summary: Codable, Sendable {
        var entries: UInt64 = 0
        var examined: UInt64 = 0
        var blocks: UInt64 = 0
        var erased: UInt64 = 0
        var withheld: UInt64 = 0
        var unsettled: UInt64 = 0
        /// One line each, kind and place first; in the order of the log.
        var faults: [String] = []
    }

    var summary = Summary()
    /// Whether everything was looked at and is as it must be.
    var isClean: Bool
    /// To be kept for the next run.
    var checkpoint: [UInt8]?

    init(_ report: AuditReport) {
        isClean = report.isClean
        checkpoint = report.checkpoint?.bytes
        summary.entries = report.entries
        summary.examined = report.examined
        summary.blocks = report.height.value
        summary.erased = report.erased
        summary.withheld = report.withheld
        summary.unsettled = report.unsettled
        summary.faults = report.faults.map(\.description)
    }

    init(fault: String) {
        isClean = false
        summary.faults = [fault]
    }

    /// - Throws: What the source throws, `CommandFailure`: nothing was decided then.
    static func run(
        _ genesis: [UInt8], _ source: any AuditSource, since kept: SignedNote?, incremental: Bool,
        showsProgress: Bool = true, report: @escaping @Sendable (AuditProgress) -> Void = { _ in }
    ) async throws -> AuditOutcome {
        let shown = ProgressPort("entries", isShown: showsProgress && Terminal.errorIsTerminal)
        defer { shown.finish() }
        do {
            let audit = try Audit(genesis: genesis, source: source)
            return AuditOutcome(
                try await audit.run(since: kept, depth: incremental ? .sinceKept : .everything) {
                    progress in
                    shown.update(progress.done, of: progress.total)
                    report(progress)
                })
        } catch let fault as AuditFault {
            return AuditOutcome(fault: fault.description)
        } catch let error as ProofError {
            throw CommandFailure(
                .wrongUsage, "the kept checkpoint is of no use here: \(error.reason)",
                remedy: "Name the checkpoint that an earlier run of this ledger saved (--since).")
        }
    }
}

extension AuditOutcome.Summary {
    func text(in elapsed: Duration) -> String {
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        let rate = seconds > 0 ? UInt64(min(Double(entries) / seconds, 1e12)) : 0
        var text =
            "verified: \(ProgressLine.count(entries, "entry", "entries")) in "
            + "\(ProgressLine.count(blocks, "block", "blocks")), "
        text +=
            "\(ProgressLine.duration(seconds: seconds)), \(ProgressLine.grouped(rate)) entries a second\n"
        if examined < entries {
            text += "  in full: \(ProgressLine.grouped(examined)); those below were hashed and compared\n"
        }
        if erased > 0 { text += "  erased, by order: \(ProgressLine.grouped(erased))\n" }
        if withheld > 0 {
            text +=
                "  payloads not shown to this reader: \(ProgressLine.grouped(withheld)) (role auditor)\n"
        }
        if unsettled > 0 {
            text += "  blocks accepted and not final yet: \(ProgressLine.grouped(unsettled))\n"
        }
        return text
    }
}
