internal import Glibc

/// Keeps a second process from writing to a directory. The kernel lets go of it when the process ends, however it ends.
final class DirectoryLock: Sendable {
    private let descriptor: Int32

    init(directory: String) throws(StoreError) {
        let path = directory + "/lock"
        let opened = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard opened >= 0 else {
            throw .system(
                operation: "open \(path)", code: errno, reason: unsafe String(cString: strerror(errno)))
        }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            close(opened)
            throw .locked(directory: directory)
        }
        descriptor = opened
    }

    deinit {
        // Said, not left to `close`: a child process that is just being started holds a copy of the descriptor, and
        // with it the lock, until it runs another program.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
