import Ledger
import Testing

@testable import ledgerd

@Suite struct `A plan for a ledger` {
    private func plan(
        origin: String = "example.com/kpi", nodes: Int = 1, basePort: Int = 7400, hosts: [String] = []
    ) throws -> LedgerPlan {
        let created = try #require(Timestamp(milliseconds: 0))
        return try LedgerPlan(
            origin: origin, nodeCount: nodes, basePort: basePort, hosts: hosts, created: created)
    }

    @Test(arguments: ["example.com/kpi", "localhost/kpi", "a", "ledger.example.com:8443/a/b_c~d-e"])
    func `takes an origin without a scheme`(origin: String) throws {
        #expect(try plan(origin: origin).origin == origin)
    }

    @Test(arguments: [
        "", "https://example.com/kpi", "example.com/", "/kpi", "a+b", "a b", "a\nb", "a\u{A0}b", "ä.example",
        "<a>", "a\"",
        String(repeating: "a", count: 65),
    ])
    func `refuses an origin that notes, XML or certificates cannot carry`(origin: String) {
        #expect(throws: LedgerPlanFailure.self) { try plan(origin: origin) }
    }

    @Test func `has 1 to 31 nodes`() throws {
        #expect(try plan(nodes: 31).nodes.count == 31)
        for count in [Int.min, -1, 0, 32, Int.max] {
            #expect(throws: LedgerPlanFailure.self) { try plan(nodes: count) }
        }
    }

    @Test func `keeps every port inside 16 bits`() throws {
        let highest = try plan(nodes: 31, basePort: 65_404)
        #expect(highest.nodes.last?.peerPort == 65_535)
        for port in [Int.min, -1, 0, 65_405, Int.max] {
            #expect(throws: LedgerPlanFailure.self) { try plan(nodes: 31, basePort: port) }
        }
        let ports = highest.nodes.flatMap { [$0.httpsPort, $0.peerPort] }
        #expect(Set(ports).count == ports.count)
    }

    @Test func `names the loopback first, and each host once`() throws {
        let hosts = try plan(hosts: ["LOCALHOST", "127.0.0.1", "::1", "Ledger.example", "fd00::1"]).hosts
        #expect(
            hosts == [
                .address([127, 0, 0, 1]), .name("localhost"),
                .address([UInt8](repeating: 0, count: 15) + [1]),
                .name("ledger.example"), .address([0xFD] + [UInt8](repeating: 0, count: 14) + [1]),
            ])
    }

    @Test(arguments: [
        "", ".", "a..b", "-a", "a-", "a_b", "1.2.3.256", "1.2.3", "*.example.com", "a b", "fd00::g",
    ])
    func `refuses what is neither a name nor an address`(host: String) {
        #expect(throws: LedgerPlanFailure.self) { try plan(hosts: [host]) }
    }

    @Test func `refuses more hosts than a certificate should name`() {
        #expect(throws: LedgerPlanFailure.self) {
            try plan(hosts: (0...Limits.certificateHosts).map { "h\($0).example" })
        }
    }
}
