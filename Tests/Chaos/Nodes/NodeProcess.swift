import Foundation
import Glibc
import Synchronization

/// `ledgerd serve`, as a process that does not outlive this one, however this one ends.
///
/// A thread of its own starts it and waits for it. Not Foundation's `Process`: that hands its caller's signal mask on,
/// and the kernel's "kill it when its parent is gone" (`setpriv --pdeathsig`) means the thread that started it.
final class NodeProcess: Sendable {
    private struct State: Sendable {
        var processID: pid_t?
        var isServing = false
        /// That of the node, or 128 and the signal.
        var status: Int32?
        var waiting: [CheckedContinuation<Void, Never>] = []
        var line: [UInt8] = []
    }

    /// Becomes the node. A socket of the forwarders that lived on in it would never end for the node at its other side,
    /// so it gets no descriptors but its three.
    private static let script = """
        for descriptor in /proc/self/fd/*; do
            number=${descriptor##*/}
            if [ "$number" -gt 2 ]; then eval "exec $number>&-"; fi
        done
        exec setpriv --pdeathsig KILL "$0" serve --directory "$1"
        """

    private let state = Mutex(State())

    /// - Parameter log: takes what the node says on standard error; appended to.
    init(directory: String, log: String) throws {
        let program = try Programs.path("ledgerd")
        let output = Pipe()
        output.fileHandleForReading.readabilityHandler = { [weak self] handle in
            let bytes = [UInt8](handle.availableData)
            guard !bytes.isEmpty else { return handle.readabilityHandler = nil }
            self?.read(bytes)
        }
        let command = ["bash", "-c", Self.script, program, directory]
        Thread.detachNewThread { [self] in
            let processID = Self.spawn(
                command, output: output.fileHandleForWriting.fileDescriptor, log: log)
            try? output.fileHandleForWriting.close()
            guard let processID else { return change { $0.status = 127 } }
            change { $0.processID = processID }
            var status: Int32 = 0
            // Waited for without being reaped, so that the number is still its own when `signal` looks.
            var info = siginfo_t()
            while waitid(P_PID, id_t(processID), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
            change { state in
                waitpid(processID, &status, 0)
                let signal = status & 0x7F
                state.status = signal == 0 ? status >> 8 & 0xFF : 128 + signal
            }
        }
    }

    /// Without signals that are blocked or ignored here, and without input.
    private static func spawn(_ command: [String], output: Int32, log: String) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var arguments = command.map { strdup($0) } + [nil]
        var environment = Programs.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in arguments + environment { free(text) } }
        var processID = pid_t()
        let failure = posix_spawnp(
            &processID, command[0], &actions, &attributes, &arguments, &environment)
        return failure == 0 ? processID : nil
    }

    /// `nil` while it runs.
    var status: Int32? { state.withLock { $0.status } }
    private var processID: pid_t? { state.withLock { $0.processID } }

    /// Waits until it takes requests.
    ///
    /// - Returns: Whether it does; it may have ended instead.
    func serves() async -> Bool {
        await wait { $0.isServing || $0.status != nil }
        return state.withLock { $0.isServing && $0.status == nil }
    }

    /// - Returns: Its status, or 128 and the signal.
    func ended() async -> Int32 {
        await wait { $0.status != nil }
        return state.withLock { $0.status ?? 0 }
    }

    func signal(_ number: Int32) async {
        await wait { $0.processID != nil || $0.status != nil }
        state.withLock { state in
            guard state.status == nil, let processID = state.processID else { return }
            kill(processID, number)
        }
    }

    /// The most memory that it has had, in bytes.
    var peakBytes: Int? {
        guard let processID,
            let text = try? String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
            let kilobytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first
        else { return nil }
        return Int(kilobytes).map { $0 << 10 }
    }

    /// `node1 serves https://127.0.0.1:7401`
    private func read(_ bytes: [UInt8]) {
        change { state in
            state.line += bytes
            guard state.line.contains(0x0A) else { return }
            state.isServing = String(decoding: state.line, as: UTF8.self).contains(" serves https://")
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let waiting = state.withLock { state in
            body(&state)
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    private func wait(until holds: @escaping @Sendable (State) -> Bool) async {
        while true {
            if state.withLock({ holds($0) }) { return }
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if holds(state) { return true }
                    state.waiting.append(continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        }
    }
}
