import Glibc
import Ledger

/// What a new ledger is to be: everything about it that is chosen rather than drawn at random.
struct LedgerPlan: Sendable, Equatable {
    /// A node and its addresses.
    struct Node: Sendable, Equatable {
        /// `node1`, `node2`, …
        let name: String
        let httpsPort: UInt16
        let peerPort: UInt16

        var url: String { "https://\(LedgerPlan.address):\(httpsPort)" }
        var peerAddress: String { "\(LedgerPlan.address):\(peerPort)" }
    }

    /// An identity that the genesis enrols.
    struct Client: Sendable, Equatable {
        let name: String
        let roles: [Role]
    }

    /// A host that certificates may name.
    enum Host: Sendable, Equatable {
        case name(String)
        /// 4 or 16 bytes.
        case address([UInt8])
    }

    static let defaultOrigin = "localhost/kpi"
    static let defaultBasePort = 7400
    /// Where `init` places all nodes.
    static let address = "127.0.0.1"
    /// How far a node's peer port lies above its HTTPS port.
    static let peerPortOffset = 100
    /// One identity per role, named as pipelines and people will call it.
    static let clients = [
        Client(name: "ci", roles: [.submitter]),
        Client(name: "analyst", roles: [.analyst]),
        Client(name: "auditor", roles: [.auditor]),
        Client(name: "operator", roles: [.operator]),
        Client(name: "dpo", roles: [.dpo]),
    ]

    let origin: String
    let nodes: [Node]
    /// The loopback names, then those asked for, each once.
    let hosts: [Host]
    let created: Timestamp

    /// - Parameter basePort: P: node i serves HTTPS on P+i and its peers on P+100+i.
    init(
        origin: String, nodeCount: Int, basePort: Int, hosts: [String] = [], created: Timestamp
    ) throws(LedgerPlanFailure) {
        guard Self.isOrigin(origin) else {
            throw LedgerPlanFailure(
                "an origin is a URL without a scheme, such as example.com/kpi: letters, digits and -._~:/, "
                    + "at most \(Limits.originBytes) bytes, not “\(origin)”")
        }
        guard (1...Limits.ceremonyNodes).contains(nodeCount) else {
            throw LedgerPlanFailure("a new ledger has 1 to \(Limits.ceremonyNodes) nodes, not \(nodeCount)")
        }
        let largestBasePort = Int(UInt16.max) - Self.peerPortOffset - nodeCount
        guard (1...largestBasePort).contains(basePort) else {
            throw LedgerPlanFailure(
                "with \(nodeCount) nodes the base port is 1 to \(largestBasePort), not \(basePort)")
        }
        guard hosts.count <= Limits.certificateHosts else {
            throw LedgerPlanFailure("a certificate names at most \(Limits.certificateHosts) further hosts")
        }
        var known = [Host.address([127, 0, 0, 1]), .name("localhost"), .address(Self.loopback6)]
        for text in hosts {
            guard let host = Host(text) else {
                throw LedgerPlanFailure("“\(text)” is neither a DNS name nor an IP address")
            }
            if !known.contains(host) { known.append(host) }
        }

        self.origin = origin
        self.hosts = known
        self.created = created
        nodes = (1...nodeCount).map { number in
            Node(
                name: "node\(number)", httpsPort: UInt16(basePort + number),
                peerPort: UInt16(basePort + Self.peerPortOffset + number))
        }
    }

    private static let loopback6 = [UInt8](repeating: 0, count: 15) + [1]

    /// Origins are names of keys in signed notes, so white space and `+` are out (C2SP signed-note); the rest is
    /// what needs no escape in a URL's host and path.
    private static func isOrigin(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard (1...Limits.originBytes).contains(bytes.count) else { return false }
        guard let first = bytes.first, first.isASCIILetterOrDigit, bytes.last != UInt8(ascii: "/") else {
            return false
        }
        guard !text.contains("//") else { return false }
        return bytes.allSatisfy { $0.isASCIILetterOrDigit || "-._~:/".utf8.contains($0) }
    }
}

/// Why there can be no such ledger.
struct LedgerPlanFailure: Error, Equatable {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

extension LedgerPlan.Host {
    /// A DNS name of letters, digits and hyphens, an IPv4 or an IPv6 address. `nil` for anything else.
    init?(_ text: String) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self = .address(withUnsafeBytes(of: &four) { Array($0) })
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            self = .address(withUnsafeBytes(of: &six) { Array($0) })
        } else if Self.isName(text) {
            self = .name(text.lowercased())
        } else {
            return nil
        }
    }

    private static func isName(_ text: String) -> Bool {
        guard text.utf8.count <= Limits.hostNameBytes else { return false }
        let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        // A last label of digits alone is a mistyped address, never a name (RFC 3696 §2).
        guard let last = labels.last, !last.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.count) && label.first != UInt8(ascii: "-")
                && label.last != UInt8(ascii: "-")
                && label.allSatisfy { $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "-") }
        }
    }
}

extension UInt8 {
    fileprivate var isASCIILetterOrDigit: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
