/// A DER value that a test takes apart and changes. Only for well-formed input of the test's own.
struct DERTree {
    enum Length { case shortest, long, indefinite }

    var tag: UInt8
    /// Empty where there are children.
    var content: [UInt8]
    var children: [DERTree]?
    var length = Length.shortest

    init(tag: UInt8, content: [UInt8]) {
        self.tag = tag
        self.content = content
    }

    init(tag: UInt8, children: [DERTree]) {
        self.tag = tag
        content = []
        self.children = children
    }

    init(_ bytes: [UInt8]) {
        var rest = bytes[...]
        self = Self.take(from: &rest)
        precondition(rest.isEmpty, "one value")
    }

    private static func take(from bytes: inout ArraySlice<UInt8>) -> DERTree {
        let tag = bytes.removeFirst()
        var count = Int(bytes.removeFirst())
        if count > 0x80 {
            let digits = count & 0x7F
            count = bytes.prefix(digits).reduce(0) { $0 << 8 | Int($1) }
            bytes.removeFirst(digits)
        }
        var inside = bytes.prefix(count)
        bytes.removeFirst(count)
        guard tag & 0x20 != 0 else { return DERTree(tag: tag, content: Array(inside)) }
        var children: [DERTree] = []
        while !inside.isEmpty { children.append(take(from: &inside)) }
        return DERTree(tag: tag, children: children)
    }

    var bytes: [UInt8] {
        let inside = children.map { $0.flatMap(\.bytes) } ?? content
        switch length {
        case .indefinite: return [tag, 0x80] + inside + [0, 0]
        case .long:
            return [tag, 0x84] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: inside.count >> $0) } + inside
        case .shortest:
            var digits: [UInt8] = []
            var rest = inside.count
            while rest > 0 {
                digits.insert(UInt8(truncatingIfNeeded: rest), at: 0)
                rest >>= 8
            }
            if inside.count < 0x80 { return [tag, UInt8(inside.count)] + inside }
            return [tag, 0x80 | UInt8(digits.count)] + digits + inside
        }
    }

    /// The value that a path of child positions leads to.
    subscript(path: Int...) -> DERTree {
        get { self[path[...]] }
        set { self[path[...]] = newValue }
    }

    private subscript(path: ArraySlice<Int>) -> DERTree {
        get {
            guard let first = path.first else { return self }
            return (children ?? [])[first][path.dropFirst()]
        }
        set {
            guard let first = path.first else {
                self = newValue
                return
            }
            children?[first][path.dropFirst()] = newValue
        }
    }

    /// Every path to a value, parents first.
    var paths: [[Int]] {
        [[]]
            + (children ?? []).enumerated().flatMap { position, child in child.paths.map { [position] + $0 } }
    }

    mutating func change(at path: [Int], _ body: (inout DERTree) -> Void) { body(&self[path[...]]) }

    static let null = DERTree(tag: 0x05, content: [])
    static func oid(_ content: [UInt8]) -> DERTree { DERTree(tag: 0x06, content: content) }
}
