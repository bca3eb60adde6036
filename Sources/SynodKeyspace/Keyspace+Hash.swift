package import SynodBytes
package import SynodStorage

/// A checksum of all keys' history that replicas and a real etcd agree on.
package struct KeyspaceHash: Hashable, Sendable {
    package let hash: UInt32
    /// -1 before any compaction.
    package let compactRevision: Int64
    /// The revision up to which changes are covered, inclusive.
    package let revision: Int64
}

// Checksums, for finding replicas that have drifted apart.
extension Keyspace {
    /// etcd's HashKV through `revision` (0: the prefix's): the CRC-32C over "key" and each
    /// record, key and value, leaving out what the last compaction made superfluous. It does not
    /// depend on how much of that is removed yet.
    package func hashKV(revision: Int64) throws(StorageError)
        -> Result<KeyspaceHash, KeyspaceError>
    {
        if revision > 0 {
            do throws(KeyspaceError) { try checkReadable(revision, at: committed.revision) } catch {
                return .failure(error)
            }
        }
        let through = revision == 0 ? committed.revision : revision
        // Where no key is left at the revision, etcd does not filter at all; then what counts is
        // what the compaction itself leaves.
        let keeper = hasLiveKey(at: through) ? through : committed.compactRevision
        var crc = CRC32C()
        crc.update(Bytes("key".utf8))
        var failure: StorageError?
        let range = RecordLayout.records(from: 0, through: max(through, 0))
        try store.scan(from: range.lower, to: range.upper) { key, value in
            do throws(StorageError) {
                guard let mark = RecordLayout.mark(key, valueCount: value.count) else {
                    throw StorageError(.corrupt, "a record has a malformed key")
                }
                let isCompacted = mark.main <= committed.compactRevision
                let isIncluded = isCompacted ? try isKept(mark, value, at: keeper) : true
                if isIncluded {
                    crc.update(UnsafeRawBufferPointer(rebasing: key.dropFirst()))
                    crc.update(value)
                }
                return true
            } catch {
                failure = error
                return false
            }
        }
        if let failure { throw failure }
        return .success(
            KeyspaceHash(
                hash: crc.value, compactRevision: committed.compactRevision, revision: through))
    }

    /// Answers a HashKVRequest for `revision` with the complete encoded HashKVResponse.
    package func hashKV(revision: Int64, header: ResponseHeader) throws(StorageError)
        -> Result<Bytes, KeyspaceError>
    {
        try hashKV(revision: revision).map { hash in
            var writer = ByteWriter()
            writer.write(header, revision: committed.revision)
            writer.writeField(2, UInt64(hash.hash))
            writer.writeField(3, hash.compactRevision)
            writer.writeField(4, hash.revision)
            return writer.bytes
        }
    }

    /// A checksum of everything: the current HashKV with the compaction and the alarms. Replicas
    /// that have applied the same commands agree on it.
    package func hash() throws(StorageError) -> UInt32 {
        guard case .success(let keys) = try hashKV(revision: 0) else {
            preconditionFailure("The current revision is always readable.")
        }
        var writer = ByteWriter()
        writer.write(keys.hash)
        writer.write(keys.revision)
        writer.write(keys.compactRevision)
        for alarm in committed.alarms {
            writer.write(alarm.memberID)
            writer.write(alarm.kind.rawValue)
        }
        return CRC32C.checksum(writer.bytes)
    }

    /// Answers a HashRequest with the complete encoded HashResponse.
    package func hash(header: ResponseHeader) throws(StorageError) -> Bytes {
        var writer = ByteWriter()
        writer.write(header, revision: committed.revision)
        writer.writeField(2, UInt64(try hash()))
        return writer.bytes
    }

    private func hasLiveKey(at revision: Int64) -> Bool {
        if revision >= committed.revision { return keyCount > 0 }
        var found = false
        index.forEach(in: KeyRange(key: [], rangeEnd: [0])) { id in
            found = index[id].mark(at: revision) != nil
            return !found
        }
        return found
    }

    /// Whether a change that a compaction covers is the one in force at `revision`.
    private func isKept(_ mark: Mark, _ value: UnsafeRawBufferPointer, at revision: Int64)
        throws(StorageError) -> Bool
    {
        if mark.isTombstone { return false }
        let record = try Self.decode(Bytes(value)[...])
        guard let id = index.find(record.key), let kept = index[id].mark(at: revision) else {
            return false
        }
        return kept.isSameChange(as: mark)
    }
}
