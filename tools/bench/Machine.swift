import Foundation
import Glibc

/// What was measured on, for whoever compares two reports.
enum Machine {
    static let cores = ProcessInfo.processInfo.activeProcessorCount

    static var description: String {
        """
        Machine: \(processor), \(cores) cores, \(memoryGigabytes) GB, Linux \(kernel).
        Load average when the run began: \(load) (this run not included).
        """
    }

    /// Processor time that this process has used, all its threads together.
    static var processorSeconds: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    /// Memory of this process that no file backs, in MB: what a store of any size must not grow.
    static var anonymousMegabytes: Double {
        let line = text("/proc/self/status").split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
        return line.flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first }.flatMap {
            Double($0)
        }
        .map { $0 / 1024 } ?? 0
    }

    /// Touches a sixth of the memory, or of what this process may have. A guest that has given unused memory back to its
    /// host pays several times the usual for the first touch of a page, and so for each new page of a file: what is measured
    /// afterwards does not.
    ///
    /// - Returns: How long the first touch of a page took, and one after all had been given back to this system.
    static func warmMemory() -> String {
        let limit = UInt64(text("/sys/fs/cgroup/memory.max").trimmingCharacters(in: .whitespacesAndNewlines))
        let byteCount = Int(min(ProcessInfo.processInfo.physicalMemory, limit ?? .max) / 6)
        func touch() -> Double {
            let clock = ContinuousClock()
            let begin = clock.now
            guard
                let memory = mmap(
                    nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                memory != MAP_FAILED
            else { return .nan }
            defer { munmap(memory, byteCount) }
            for place in stride(from: 0, to: byteCount, by: 4096) {
                memory.storeBytes(of: 1, toByteOffset: place, as: UInt8.self)
            }
            let (seconds, attoseconds) = (clock.now - begin).components
            return (Double(seconds) * 1e6 + Double(attoseconds) / 1e12) / Double(byteCount / 4096)
        }
        let times = [touch(), touch()].map { String(format: "%.1f µs", $0) }
        return "Memory: 4 KiB take \(times[0]) when first touched, \(times[1]) again (\(byteCount >> 20) MB)."
    }

    private static var processor: String {
        let lines = text("/proc/cpuinfo").split(separator: "\n")
        let name =
            lines.first { $0.hasPrefix("model name") }?.split(separator: ":").last ?? "unknown processor"
        return name.trimmingCharacters(in: .whitespaces)
    }

    private static var kernel: String {
        text("/proc/sys/kernel/osrelease").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static var memoryGigabytes: UInt64 { ProcessInfo.processInfo.physicalMemory >> 30 }

    private static var load: String {
        text("/proc/loadavg").split(separator: " ").prefix(3).joined(separator: ", ")
    }

    private static func text(_ path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }
}
