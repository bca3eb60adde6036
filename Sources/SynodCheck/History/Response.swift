package import SynodBytes

/// What the store answered.
package struct Response: Sendable, Hashable {
    /// The header's revision: that of the write itself if anything changed, otherwise the one at
    /// which the request was executed.
    package var revision: Int64
    package var body: Body

    package init(revision: Int64, body: Body) {
        self.revision = revision
        self.body = body
    }
}

/// The answer to a ``Request`` of the same kind.
package indirect enum Body: Sendable, Hashable {
    /// Nil where the client did not ask or there was none.
    case put(previous: KeyValue?)
    /// `previous` is empty where the client did not ask; otherwise in the order of keys.
    case delete(count: Int64, previous: [KeyValue] = [])
    /// In the order of keys.
    case range([KeyValue], count: Int64)
    /// One body for each request of the branch that was taken.
    case txn(succeeded: Bool, [Body])
}

/// A key as it is stored.
package struct KeyValue: Sendable, Hashable {
    package var key: Bytes
    package var value: Bytes
    package var createRevision: Int64
    package var modRevision: Int64
    package var version: Int64

    package init(
        key: Bytes, value: Bytes, createRevision: Int64, modRevision: Int64, version: Int64
    ) {
        self.key = key
        self.value = value
        self.createRevision = createRevision
        self.modRevision = modRevision
        self.version = version
    }
}
