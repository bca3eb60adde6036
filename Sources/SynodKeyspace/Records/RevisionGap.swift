package import SynodBytes

/// Revisions that were given away and that no command took. It has a record of its own, so that a
/// load can tell revisions that never were from records that are missing.
package struct RevisionGap: Equatable {
    /// Both inclusive.
    package let from: Int64
    package let through: Int64

    package init(from: Int64, through: Int64) {
        precondition(1 < from && from <= through, "A gap is behind the first revision.")
        self.from = from
        self.through = through
    }

    private static let prefix = UInt8(ascii: "G")

    /// Gaps lie in the order of their ends.
    package var key: Bytes { Self.key(through: through) }

    package var value: Bytes {
        var writer = ByteWriter(capacity: 8)
        writer.writeBigEndian(from)
        return writer.bytes
    }

    /// Lower and exclusive upper end of the keys of the gaps that end at or before a revision.
    package static func keys(through revision: Int64) -> (lower: Bytes, upper: Bytes) {
        ([prefix], revision == .max ? [prefix + 1] : key(through: revision + 1))
    }

    private static func key(through revision: Int64) -> Bytes {
        var writer = ByteWriter(capacity: 9)
        writer.write(prefix)
        writer.writeBigEndian(revision)
        return writer.bytes
    }

    package init(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) throws(MalformedBytes)
    {
        guard key.count == 9, value.count == 8 else {
            throw MalformedBytes("the record of a gap has another size")
        }
        through = Int64(bigEndian: key.loadUnaligned(fromByteOffset: 1, as: Int64.self))
        from = Int64(bigEndian: value.loadUnaligned(as: Int64.self))
        guard 1 < from, from <= through else {
            throw MalformedBytes("there is no gap from revision \(from) through \(through)")
        }
    }
}
