/// What a store that executes by key may do and etcd does not.
package struct Leeway: Sendable, Hashable {
    /// Revisions that no write has made, and that no write will.
    package let skipped: Set<Int64>
    /// Whether a linearizable read may report an older revision than somebody had been told before
    /// it was called, if nothing that it asked for has changed in between.
    package let allowsLateHeaders: Bool

    package init(skipped: Set<Int64> = [], allowsLateHeaders: Bool = false) {
        self.skipped = skipped
        self.allowsLateHeaders = allowsLateHeaders
    }

    package static let none = Leeway()
}
