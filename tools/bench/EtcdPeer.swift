import Foundation

/// Three nodes of etcd on the loopback, as Debian packages it (`etcd-server`), and `h2load` (`nghttp2-client`) as their
/// client: the peer that a durable, replicated log is measured against.
///
/// It runs without TLS, and its nodes trust one another (Raft).
final class EtcdPeer {
    private var processes: [Process] = []
    private let directory: String
    private let endpoint: String
    private let body: String

    struct Result: Sendable {
        let perSecond: Double
        let latencyMicroseconds: [Double]
    }

    /// Why it cannot be measured here; `nil` where it can.
    static var isMissing: String? {
        for (program, package) in [("etcd", "etcd-server"), ("h2load", "nghttp2-client")]
        where !FileManager.default.isExecutableFile(atPath: "/usr/bin/" + program) {
            return "there is no \(program): apt-get install \(package)"
        }
        return nil
    }

    /// - Parameter valueBytes: of each key's value.
    init(in directory: String, valueBytes: Int) throws {
        self.directory = directory
        let base = try FreePorts.base(offsets: [1, 2, 3, 101, 102, 103])
        let cluster = (1...3).map { "n\($0)=http://127.0.0.1:\(base + 100 + $0)" }.joined(separator: ",")
        endpoint = "http://127.0.0.1:\(base + 1)"
        body = directory + "/put"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Data(Self.put(valueBytes)).write(to: URL(filePath: body))
        for number in 1...3 {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/etcd")
            process.arguments = [
                "--name", "n\(number)", "--data-dir", directory + "/n\(number)",
                "--listen-peer-urls", "http://127.0.0.1:\(base + 100 + number)",
                "--initial-advertise-peer-urls", "http://127.0.0.1:\(base + 100 + number)",
                "--listen-client-urls", "http://127.0.0.1:\(base + number)",
                "--advertise-client-urls", "http://127.0.0.1:\(base + number)",
                "--initial-cluster", cluster, "--log-level", "error",
                "--quota-backend-bytes", "8589934592",
            ]
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            Cleanup.shared.add(child: process.processIdentifier)
            processes.append(process)
        }
        try waitUntilReady()
    }

    func stop() {
        for process in processes {
            process.terminate()
            process.waitUntilExit()
            Cleanup.shared.remove(child: process.processIdentifier)
        }
    }

    /// - Parameter count: requests, all the same PUT; each is a revision of its own.
    func load(clients: Int, count: Int) throws -> Result {
        let log = directory + "/latencies"
        try? FileManager.default.removeItem(atPath: log)
        let before = try revision()
        let start = ContinuousClock.now
        _ = try Self.run(
            "/usr/bin/h2load",
            [
                "-n", "\(count)", "-c", "\(clients)", "-m", "1", "-t", "1", "-d", body, "--log-file", log,
                "-H", "content-type: application/grpc", "-H", "te: trailers",
                endpoint + "/etcdserverpb.KV/Put",
            ])
        let elapsed = (ContinuousClock.now - start).seconds
        let written = try revision() - before
        guard written == count else { throw BenchFailure("etcd took \(written) of \(count) values") }
        let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        // Start in microseconds, status, microseconds until the end.
        let latencies = lines.compactMap { $0.split(separator: "\t").last.flatMap { Double($0) } }
        return Result(perSecond: Double(count) / elapsed, latencyMicroseconds: latencies)
    }

    /// `PutRequest {key: "k", value: …}` as gRPC frames it.
    private static func put(_ valueBytes: Int) -> [UInt8] {
        func varint(_ number: Int) -> [UInt8] {
            number < 128 ? [UInt8(number)] : [UInt8(number & 127 | 128)] + varint(number >> 7)
        }
        let value = [UInt8](repeating: UInt8(ascii: "v"), count: valueBytes)
        let message = [0x0A, 1, UInt8(ascii: "k"), 0x12] + varint(valueBytes) + value
        return [0] + [24, 16, 8, 0].map { UInt8(message.count >> $0 & 255) } + message
    }

    private func waitUntilReady() throws {
        for _ in 0..<300 {
            if (try? revision()) != nil { return }
            Thread.sleep(forTimeInterval: 0.1)
        }
        throw BenchFailure("etcd does not answer at \(endpoint)")
    }

    private func revision() throws -> Int {
        let text = try Self.run(
            "/usr/bin/curl",
            ["-sf", "-X", "POST", endpoint + "/v3/kv/range", "-d", #"{"key":"aw=="}"#])
        guard let found = text.range(of: #""revision":"[0-9]+"#, options: .regularExpression),
            let number = Int(text[found].drop { !$0.isNumber })
        else { throw BenchFailure("etcd has no revision yet: \(text)") }
        return number
    }

    private static func run(_ program: String, _ arguments: [String]) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchFailure("\(program) failed with \(process.terminationStatus)")
        }
        return String(decoding: text, as: UTF8.self)
    }
}
