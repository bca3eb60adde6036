/// What bounds the keyspace's memory, stack and time.
package enum Limits {
    /// The default of `max-txn-ops`.
    package static let transactionOperations = 128
    /// How deep transactions may nest. Every level uses up one operation of the budget, so the
    /// default budget never reaches further; the stack stays bounded under any configured one.
    package static let transactionDepth = 128
    /// The default budget for records kept in memory, in bytes.
    package static let cachedBytes = 16 << 20
    /// A record above this size is never kept in memory.
    package static let cachedRecordBytes = 4096
    /// The largest message that etcd's clients can be sent (2^31 - 1).
    package static let answerBytes = Int(Int32.max)
    /// Alarms raised at a time; each member can raise two.
    package static let alarms = 1024
    /// Outcomes of slots that a commit keeps for its caller; they are written with every batch.
    package static let slotOutcomes = 64
}
