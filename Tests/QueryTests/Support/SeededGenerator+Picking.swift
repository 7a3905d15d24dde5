import TestSupport

extension SeededGenerator {
    /// - Precondition: there is something to pick from.
    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &self)]
    }
}
