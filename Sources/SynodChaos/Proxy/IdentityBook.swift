import Synchronization

/// Whose id is whose index. Ids depend on the ports of the doors, so they are known only when all
/// doors are open, and before any member is started.
final class IdentityBook: Sendable {
    private let kept = Mutex<[UInt64: Int]>([:])

    var members: [UInt64: Int] { kept.withLock { $0 } }

    func fill(_ members: [UInt64: Int]) {
        kept.withLock { $0 = members }
    }
}
