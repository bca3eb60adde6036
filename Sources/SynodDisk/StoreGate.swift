import Synchronization
import SynodStorage

/// Whether a store may be made where there is none.
package enum StoreCreation: Sendable {
    case allowed
    /// A missing store is a lost one.
    case forbidden
}

/// The way to an open store: shut after ``close()``, and closed to writes after the first that
/// failed.
///
/// All writes after a failed one throw its error, because what an engine or a kernel makes of its
/// buffers after a failed sync cannot be known.
final class StoreGate<Handle: Sendable>: Sendable {
    private struct State {
        /// Nil after ``StoreGate/close()``.
        var handle: Handle?
        /// The first failed write, after which there are no others.
        var failure: StorageError?
    }

    private let state: Mutex<State>

    init(_ handle: Handle) {
        state = Mutex(State(handle: handle))
    }

    /// The open store; nil if it is closed.
    var handle: Handle? {
        state.withLock { $0.handle }
    }

    /// The open store, for reading.
    func openHandle() throws(StorageError) -> Handle {
        guard let handle else { throw StorageError.closed }
        return handle
    }

    /// Runs a write unless an earlier one failed, and remembers the first failure.
    func change(_ body: (Handle) throws(StorageError) -> Void) throws(StorageError) {
        let (handle, failure) = state.withLock { ($0.handle, $0.failure) }
        if let failure { throw failure }
        guard let handle else { throw StorageError.closed }
        do {
            try body(handle)
        } catch {
            throw state.withLock { state in
                let first = state.failure ?? error
                state.failure = first
                return first
            }
        }
    }

    func close() {
        state.withLock { $0.handle = nil }
    }
}

extension StorageError {
    static let closed = StorageError(.io, "The store is closed.")
}
