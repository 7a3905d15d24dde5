import Glibc

/// Ports that nobody listens on at the moment.
enum FreePorts {
    /// A number to which each of the offsets can be added.
    static func base(offsets: [Int]) throws -> Int {
        for _ in 0..<200 {
            let base = Int.random(in: 12_000...30_000)
            if offsets.allSatisfy({ isFree(UInt16(base + $0)) }) { return base }
        }
        throw BenchFailure("no free ports were found on the loopback")
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        } == 0
    }
}
