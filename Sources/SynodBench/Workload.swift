/// Which request an operation sends.
struct Workload: Sendable {
    /// How an operation's key is chosen.
    enum Order {
        case random
        /// The number of the operation, starting over after the last key.
        case sequential
    }

    let order: Order
    private let usual: RequestTemplate
    /// Sent instead of the usual request once in ten times.
    private let occasional: RequestTemplate?

    /// What the measured clients of a mode do.
    init(_ configuration: BenchConfiguration) throws {
        let bytes = configuration.valueBytes
        order = configuration.mode == .delete ? .sequential : .random
        occasional = configuration.mode == .mixed ? try .put(valueBytes: bytes) : nil
        switch configuration.mode {
        case .put: usual = try .put(valueBytes: bytes)
        case .range, .mixed: usual = try .range(serializable: false)
        case .srange: usual = try .range(serializable: true)
        case .txn: usual = try .transaction(valueBytes: bytes)
        case .hot: usual = try .hotPut(valueBytes: bytes)
        case .delete: usual = try .delete()
        }
    }

    /// Writes each key once.
    static func fill(valueBytes: Int) throws -> Workload {
        Workload(.sequential, try .put(valueBytes: valueBytes))
    }

    /// Asks each member for something it can answer alone.
    static func probe() throws -> Workload {
        Workload(.random, try .range(serializable: true))
    }

    private init(_ order: Order, _ template: RequestTemplate) {
        self.order = order
        usual = template
        occasional = nil
    }

    func template(using generator: inout SystemRandomNumberGenerator) -> RequestTemplate {
        if let occasional, UInt8.random(in: 0..<10, using: &generator) == 0 { return occasional }
        return usual
    }
}

extension BenchConfiguration.Mode {
    /// Whether the mode means little on an empty store.
    var needsKeys: Bool {
        switch self {
        case .range, .srange, .mixed, .delete: true
        case .put, .txn, .hot: false
        }
    }
}
