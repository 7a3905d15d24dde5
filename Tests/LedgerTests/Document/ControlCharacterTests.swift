import TestSupport
import Testing

@testable import Ledger

@Suite struct `A text with a control character` {
    @Test func `is found by its bytes as by its scalars`() {
        var generator = SeededGenerator(seed: 13)
        for value in 0...0x2FF as ClosedRange<UInt32> {
            guard let scalar = Unicode.Scalar(value) else { continue }
            for text in ["\(scalar)", "a\(scalar)b", "é\(scalar)", "\(scalar)\u{BF}"] {
                #expect(text.holdsControl == text.unicodeScalars.contains(where: \.isControl), "\(value)")
            }
        }
        for _ in 0..<2000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<4 {
                if let scalar = Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &generator)) {
                    text.append(scalar)
                }
            }
            #expect(String(text).holdsControl == text.contains(where: \.isControl))
        }
    }
}
