package import SynodBytes

/// A dumb ordered store of byte strings: atomic batches, reads, scans and a flush.
///
/// Keys are ordered as unsigned bytes, lexicographically. One conformance suite holds every
/// implementation to what is written here. A store is used by one thread at a time, except that
/// ``flush()`` and ``View`` reads may run beside writes.
///
/// The replica keeps two: the *log store*, whose writes are synced before anything depends on
/// them, and the *state store*, whose writes are buffered, because after a crash the log is
/// replayed from the position that the state itself records.
package protocol Store: AnyObject {
    /// A consistent picture of the store at one moment, unaffected by later writes.
    associatedtype View: StoreView

    /// Applies a batch, all of it or nothing.
    ///
    /// After it returns, reads see it. Whether it survives a crash is the question of `durability`;
    /// batches survive in the order they were written, never a later one without an earlier one.
    func write(_ batch: WriteBatch, durability: Durability) throws(StorageError)

    /// The value under `key`, or nil.
    func get(_ key: Bytes) throws(StorageError) -> Bytes?

    /// Visits the pairs with `lower <= key < upper` in key order (`upper` nil: to the end) until
    /// `body` returns false. The buffers are valid only within the call.
    func scan(
        from lower: Bytes, to upper: Bytes?,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StorageError)

    /// Makes every write that returned before this call survive a crash. May take long; may run
    /// on another thread beside writes.
    func flush() throws(StorageError)

    /// A consistent picture of this moment, for reading on another thread.
    func view() -> View

    /// Bytes of what the store holds, roughly.
    var approximateSize: UInt64 { get }
}

/// A consistent, read-only picture of a store; released when the object is.
package protocol StoreView: AnyObject, Sendable {
    /// As ``Store/scan(from:to:_:)``, over the picture.
    func scan(
        from lower: Bytes, to upper: Bytes?,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StorageError)
}

/// What must be true of a batch when its write returns.
package enum Durability: Sendable {
    /// It survives a crash of the machine.
    case synced
    /// It survives a crash once a later ``Store/flush()`` has returned.
    case buffered
}

/// A disk did not do what it was told. Never retried: the replica stops voting and exits.
package struct StorageError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// No space left on the device.
        case full
        /// The data does not match its checksums or is missing.
        case corrupt
        /// Another process holds the directory.
        case locked
        /// The directory is not one to use: another member's, of a newer format, or open to
        /// other users.
        case unsuitable
        /// Any other failed read, write or sync.
        case io
    }

    package let kind: Kind
    /// What happened, in sentences for people, and what to do about it.
    package let message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }
}
