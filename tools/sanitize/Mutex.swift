import Glibc

// Takes the place of Synchronization's `Mutex` in a module that the thread sanitizer watches. That one is a futex whose
// atomics are inside a library that was built without the sanitizer: whatever it guards looks unguarded. The sanitizer
// knows pthread's.

@safe private final class Guarded<Value: ~Copyable> {
    /// Safe to share: the lock itself; it stays where it is.
    nonisolated(unsafe) let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    /// Safe to share: only touched while the lock is held.
    nonisolated(unsafe) var value: Value

    init(_ value: consuming Value) {
        unsafe self.value = value
        unsafe pthread_mutex_init(lock, nil)
    }

    deinit {
        unsafe pthread_mutex_destroy(lock)
        unsafe lock.deallocate()
    }
}

/// Safe to share: the value is only lent while the lock is held.
struct Mutex<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    private let guarded: Guarded<Value>

    init(_ value: consuming sending Value) { guarded = Guarded(value) }

    borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe pthread_mutex_lock(guarded.lock)
        defer { unsafe pthread_mutex_unlock(guarded.lock) }
        return try unsafe body(&guarded.value)
    }
}
