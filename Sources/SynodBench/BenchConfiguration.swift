/// What a run of the load generator does.
package struct BenchConfiguration: Sendable {
    /// The operations that clients repeat.
    package enum Mode: String, CaseIterable, Sendable, Codable {
        /// Puts to random keys.
        case put
        /// Linearizable reads of random keys.
        case range
        /// Serializable reads of random keys: what the asked member has, without the others.
        case srange
        /// One put to nine linearizable reads.
        case mixed
        /// Transactions of one comparison and two puts.
        case txn
        /// Puts to one and the same key.
        case hot
        /// Deletions of one key after the other, `keys` of which exist.
        case delete
    }

    /// When a run is over.
    package enum Extent: Sendable {
        /// After this many operations, failed ones included; at least 1.
        case operations(Int)
        case duration(Duration)
    }

    package var mode: Mode
    /// At least one `host:port` or `http://host:port`; connections take turns at them.
    package var endpoints: [String]
    /// Operations in flight at once: each client begins one when its last one ended. 1...100000.
    package var clients = 64
    /// Shared by the clients; 1...10000.
    package var connections = 9
    package var extent = Extent.operations(10_000)
    /// Different keys, `key/00000000` onwards; 1...100000000.
    package var keys = 10_000
    /// 0...1000000.
    package var valueBytes = 256
    /// Operations per second that all clients together begin; nil: as many as they can. With a
    /// rate, a latency counts from when the operation was due, so that a stall is not hidden by
    /// the operations that it kept from being begun.
    package var rate: Double?
    /// An operation without an answer fails after this time.
    package var timeout = Duration.seconds(10)
    /// Processes on this machine whose processor time and memory are reported (Linux only).
    package var processes: [Int32] = []
    /// Whether the keys are written before the clock starts, in the modes that need them.
    package var fillsKeys = true
    /// Whether to tell on standard error how it goes.
    package var showsProgress = true

    package init(mode: Mode, endpoints: [String]) {
        self.mode = mode
        self.endpoints = endpoints
    }

    /// Throws ``BenchError`` naming the first option that is out of its range.
    package func check() throws {
        func require(_ isInRange: Bool, _ rule: String) throws {
            guard isInRange else { throw BenchError(rule) }
        }
        try require(!endpoints.isEmpty, "at least one endpoint is needed")
        try require((1...100_000).contains(clients), "clients must be 1 to 100000")
        try require((1...10_000).contains(connections), "connections must be 1 to 10000")
        try require((1...RequestTemplate.mostKeys).contains(keys), "keys must be 1 to 100000000")
        try require((0...1_000_000).contains(valueBytes), "the value size must be 0 to 1000000")
        try require(timeout > .zero, "the timeout must be positive")
        if let rate { try require(rate > 0 && rate.isFinite, "the rate must be positive") }
        switch extent {
        case .operations(let count): try require(count >= 1, "at least one operation is needed")
        case .duration(let duration): try require(duration > .zero, "the duration must be positive")
        }
    }
}

/// Why a run could not be made.
package struct BenchError: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
