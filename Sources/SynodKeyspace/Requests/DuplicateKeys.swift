import SynodBytes

// etcd's rule that one transaction must not change a key twice.
extension TxnRequest {
    /// Refuses a list in which a key is put twice, or put and deleted, at any level. Which branch
    /// will run is not known yet, so both lists are looked at.
    func checkDuplicates() throws(KeyspaceError) {
        // A list of one operation that is no transaction conflicts with nothing.
        for list in [success, failure] {
            if list.count == 1, case .put = list[0] { continue }
            _ = try Changes(of: list)
        }
    }

    /// A key in a set, hashed as one piece.
    private struct Key: Hashable {
        let bytes: ArraySlice<UInt8>

        static func == (left: Key, right: Key) -> Bool {
            byteOrder(left.bytes, right.bytes) == 0
        }

        func hash(into hasher: inout Hasher) {
            bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        }
    }

    /// What a list of operations may change.
    private struct Changes {
        var puts: Set<Key> = []
        var deletes: [DeleteRangeRequest] = []

        /// Order matters as it does in etcd: a nested transaction's puts are held against this
        /// list's own deletes and those of nested transactions before it, not of those after it.
        init(of operations: [Operation]) throws(KeyspaceError) {
            for case .deleteRange(let request) in operations { deletes.append(request) }
            for case .txn(let request) in operations { try add(nested: request) }
            for case .put(let request) in operations {
                guard !deletesCover(Key(bytes: request.key)),
                    puts.insert(Key(bytes: request.key)).inserted
                else {
                    throw .duplicateKey
                }
            }
        }

        private mutating func add(nested request: TxnRequest) throws(KeyspaceError) {
            let success = try Changes(of: request.success)
            let failure = try Changes(of: request.failure)
            let both = success.puts.union(failure.puts)
            // The two branches exclude each other, so they may well put the same key.
            guard puts.isDisjoint(with: both), !both.contains(where: deletesCover) else {
                throw .duplicateKey
            }
            puts.formUnion(both)
            deletes += success.deletes
            deletes += failure.deletes
        }

        /// A range end of a single zero byte is taken literally here, as etcd does: such a delete
        /// conflicts with no put.
        private func deletesCover(_ key: Key) -> Bool {
            deletes.contains { delete in
                let order = byteOrder(delete.key, key.bytes)
                if delete.rangeEnd.isEmpty { return order == 0 }
                return order <= 0 && byteOrder(key.bytes, delete.rangeEnd) < 0
            }
        }
    }
}
