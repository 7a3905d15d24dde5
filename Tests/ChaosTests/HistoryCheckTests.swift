import Chaos
import Ledger
import TestSupport
import Testing

@Suite struct `The check of a history` {
    /// Sent, acknowledged and placed as the triples say; times in milliseconds.
    private func history(_ triples: (Int, Int, UInt64)...) -> [Append] {
        triples.enumerated().map { number, one in
            Append(
                number: number, leafHash: .sha256([UInt8(number)]), sent: .milliseconds(one.0),
                acknowledged: .milliseconds(one.1), index: one.2)
        }
    }

    @Test func `accepts what overlaps, in any order`() {
        #expect(HistoryCheck(history((0, 10, 2), (1, 9, 1), (2, 8, 0))).findings == [])
        #expect(HistoryCheck(history((0, 1, 0), (2, 3, 1), (4, 5, 7))).findings == [])
    }

    @Test func `names an entry that lies before one acknowledged before it was sent`() throws {
        let findings = HistoryCheck(history((0, 5, 1), (6, 9, 0))).findings
        #expect(findings.count == 1)
        #expect(
            findings.first
                == "not linearizable: document 0 was acknowledged at 0.005 s with index 1, before document 1 "
                + "was sent at 0.006 s, which got index 0")
    }

    @Test func `names two documents at one index`() {
        let findings = HistoryCheck(history((0, 5, 3), (0, 9, 3))).findings
        #expect(findings == ["documents 0 and 1 were both acknowledged at index 3"])
    }

    @Test func `leaves what nobody acknowledged out`() {
        let open = Append(number: 1, leafHash: .sha256([1]), sent: .zero)
        #expect(HistoryCheck(history((4, 5, 0)) + [open]).findings == [])
    }

    /// Every pair, one by one.
    private func isInOrder(_ appends: [Append]) -> Bool {
        for one in appends {
            for other in appends {
                guard let end = one.acknowledged, let index = one.index, let place = other.index else {
                    continue
                }
                if end < other.sent, index >= place { return false }
                if one.number != other.number, index == place { return false }
            }
        }
        return true
    }

    @Test func `finds what the slow check of all pairs finds`() {
        var random = SeededGenerator(seed: 7)
        var orderly = 0
        for _ in 0..<3000 {
            let appends = (0..<Int.random(in: 1...5, using: &random)).map { number in
                let sent = Int.random(in: 0...9, using: &random)
                return Append(
                    number: number, leafHash: .sha256([UInt8(number)]), sent: .milliseconds(sent),
                    acknowledged: .milliseconds(sent + .random(in: 0...6, using: &random)),
                    index: .random(in: 0...7, using: &random))
            }
            #expect(HistoryCheck(appends).findings.isEmpty == isInOrder(appends), "\(appends)")
            if isInOrder(appends) { orderly += 1 }
        }
        #expect((300...2700).contains(orderly))
    }
}
