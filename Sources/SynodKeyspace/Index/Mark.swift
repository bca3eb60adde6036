/// One change of one key: when it happened and how many bytes its record takes in the store.
///
/// `main` is the revision of the transaction, `sub` the position of the change in it.
package struct Mark: Hashable {
    package let main: Int64
    private let subAndKind: UInt32
    /// Size of the record's key and value in the store, in bytes.
    package let byteCount: UInt32

    package init(main: Int64, sub: UInt32, isTombstone: Bool, byteCount: Int) {
        precondition(sub <= UInt32.max >> 1, "A transaction changes fewer than 2^31 keys.")
        self.main = main
        subAndKind = sub << 1 | (isTombstone ? 1 : 0)
        self.byteCount = UInt32(clamping: byteCount)
    }

    package var sub: UInt32 { subAndKind >> 1 }

    /// Whether the change deleted the key.
    package var isTombstone: Bool { subAndKind & 1 == 1 }

    /// Whether both are the same change.
    package func isSameChange(as other: Mark) -> Bool {
        main == other.main && subAndKind == other.subAndKind
    }
}
