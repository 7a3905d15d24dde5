import Ledger
import Synchronization

/// What the ordering queue shows to other threads.
final class SharedState: Sendable {
    private let newest: Mutex<Published>
    private let newestTip: Mutex<TipState>
    private let newestNeeds = Mutex(MessageNeeds())
    private let newestStatus = Mutex(ReplicaStatus())

    init(_ published: Published, _ tip: TipState) {
        newest = Mutex(published)
        newestTip = Mutex(tip)
    }

    var published: Published {
        get { newest.withLock { $0 } }
        set { newest.withLock { $0 = newValue } }
    }

    var tip: TipState {
        get { newestTip.withLock { $0 } }
        set { newestTip.withLock { $0 = newValue } }
    }

    var needs: MessageNeeds {
        get { newestNeeds.withLock { $0 } }
        set { newestNeeds.withLock { $0 = newValue } }
    }

    var status: ReplicaStatus {
        get { newestStatus.withLock { $0 } }
        set { newestStatus.withLock { $0 = newValue } }
    }
}
