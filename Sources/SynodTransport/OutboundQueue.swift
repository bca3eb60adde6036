import Synchronization
import SynodBytes

/// The messages that wait for one peer: filled by any thread, emptied by the event loop of the
/// peer's connection, bounded in bytes and in number.
final class OutboundQueue: Sendable {
    private struct State {
        var isOpen = false
        /// Whether the event loop has been told, and not yet found the queue empty.
        var isDrainPending = false
        var waiting: [Bytes] = []
        /// Of the messages that wait, including those taken and not yet written.
        var queuedBytes = 0
        var queuedMessages = 0
        var statistics = PeerStatistics()
    }

    private let limits: TransportLimits
    private let state = Mutex(State())

    init(limits: TransportLimits) {
        self.limits = limits
    }

    /// Takes what there is room for and counts the rest as dropped. True when the event loop has
    /// to be woken for it.
    func append(_ messages: [Bytes]) -> Bool {
        state.withLock { state in
            guard state.isOpen else {
                state.statistics.droppedMessages += UInt64(messages.count)
                return false
            }
            for message in messages {
                guard message.count <= limits.messageBytes,
                    state.queuedBytes + message.count <= limits.queuedBytes,
                    state.queuedMessages < limits.queuedMessages
                else {
                    state.statistics.droppedMessages += 1
                    continue
                }
                state.waiting.append(message)
                state.queuedBytes += message.count
                state.queuedMessages += 1
            }
            guard !state.isDrainPending, !state.waiting.isEmpty else { return false }
            state.isDrainPending = true
            return true
        }
    }

    /// Everything that waits. When that is nothing, the next ``append(_:)`` wakes the loop again.
    func take() -> [Bytes] {
        state.withLock { state in
            if state.waiting.isEmpty { state.isDrainPending = false }
            defer { state.waiting = [] }
            return state.waiting
        }
    }

    /// Messages that were taken have been handed to the connection.
    func written(messages: Int, bytes: Int) {
        state.withLock { state in
            state.queuedBytes -= bytes
            state.queuedMessages -= messages
            state.statistics.sentMessages += UInt64(messages)
            state.statistics.sentBytes += UInt64(bytes)
        }
    }

    /// Whether messages are taken.
    var isOpen: Bool { state.withLock { $0.isOpen } }

    /// The peer accepted a stream: messages are taken from now on.
    func open() {
        state.withLock { state in
            state.isOpen = true
            state.statistics.acceptedStreams += 1
        }
    }

    /// The stream ended: what waits is dropped, taken or not.
    func close() {
        state.withLock { state in
            state.isOpen = false
            state.isDrainPending = false
            state.statistics.droppedMessages += UInt64(state.queuedMessages)
            state.waiting = []
            state.queuedBytes = 0
            state.queuedMessages = 0
        }
    }

    /// The sending half of the peer's statistics.
    var statistics: PeerStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.queuedBytes = state.queuedBytes
            statistics.isReachable = state.isOpen
            return statistics
        }
    }
}
