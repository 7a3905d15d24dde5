import Glibc

/// A genesis names the ports of its nodes before they run, so a test finds some that nobody uses.
public enum FreePorts {
    struct NoneFound: Error {}

    /// P such that P+1 to P+`nodes` and P+101 to P+100+`nodes` are free on the loopback: what `init --base-port` asks
    /// for. Below the ports that the kernel gives to connections, so that none is taken while a node is down.
    public static func base(nodes: Int) throws -> Int {
        for _ in 0..<100 {
            let base = Int.random(in: 20_000...30_000)
            let ports = (1...nodes).flatMap { [base + $0, base + 100 + $0] }
            if ports.allSatisfy(isFree) { return base }
        }
        throw NoneFound()
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
