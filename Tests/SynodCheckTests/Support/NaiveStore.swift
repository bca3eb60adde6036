import SynodBytes
import SynodCheck

/// The store's contract once more, in the plainest way, so that the checkers are not judged by
/// the model that is inside of them.
struct NaiveStore {
    var revision: Int64 = 1
    var contents: [KeyValue] = []
    /// By key that was ever put or deleted: when it was last.
    private var changes: [Bytes: Int64] = [:]

    mutating func execute(_ request: Request) -> Response {
        let before = self
        var hasChanged = false
        let body = run(request, before, &hasChanged)
        if hasChanged { revision += 1 }
        return Response(revision: revision, body: body)
    }

    /// Leaves a revision out.
    mutating func skip() { revision += 1 }

    /// Whether what the request asked for, which was answered like this, is as it was at a revision.
    func isUnchanged(_ request: Request, _ body: Body, since revision: Int64) -> Bool {
        switch (request, body) {
        case (.txn(let compares, let success, let failure), .txn(let succeeded, let bodies)):
            compares.allSatisfy { changes[$0.key] ?? 0 <= revision }
                && zip(succeeded ? success : failure, bodies)
                    .allSatisfy { isUnchanged($0, $1, since: revision) }
        case (.range(let range, _), _):
            changes.allSatisfy { !range.contains($0) || $1 <= revision }
        default: false
        }
    }

    private mutating func run(
        _ request: Request, _ before: NaiveStore, _ hasChanged: inout Bool
    ) -> Body {
        switch request {
        case .put(let key, let value, let wantsPrevious):
            let old = find(key)
            hasChanged = true
            contents.removeAll { $0.key == key }
            changes[key] = before.revision + 1
            contents.append(
                KeyValue(
                    key: key, value: value,
                    createRevision: old?.createRevision ?? before.revision + 1,
                    modRevision: before.revision + 1, version: (old?.version ?? 0) + 1))
            contents.sort { $0.key.lexicographicallyPrecedes($1.key) }
            return .put(previous: wantsPrevious ? old : nil)
        case .delete(let range, let wantsPrevious):
            let old = contents.filter { range.contains($0.key) }
            contents.removeAll { range.contains($0.key) }
            for keyValue in old { changes[keyValue.key] = before.revision + 1 }
            if !old.isEmpty { hasChanged = true }
            return .delete(count: Int64(old.count), previous: wantsPrevious ? old : [])
        case .range(let range, _):
            let found = contents.filter { range.contains($0.key) }
            return .range(found, count: Int64(found.count))
        case .txn(let compares, let success, let failure):
            let succeeds = compares.allSatisfy(before.meets)
            var bodies: [Body] = []
            for request in succeeds ? success : failure {
                bodies.append(run(request, before, &hasChanged))
            }
            return .txn(succeeded: succeeds, bodies)
        }
    }

    private func find(_ key: Bytes) -> KeyValue? { contents.first { $0.key == key } }

    private func meets(_ compare: Compare) -> Bool {
        let stored = find(compare.key)
        switch compare {
        case .value(_, let relation, let operand):
            guard let stored else { return false }
            switch relation {
            case .equal: return stored.value == operand
            case .notEqual: return stored.value != operand
            case .less: return stored.value.lexicographicallyPrecedes(operand)
            case .greater: return operand.lexicographicallyPrecedes(stored.value)
            }
        case .version(_, let relation, let operand):
            return meets(stored?.version ?? 0, relation, operand)
        case .createRevision(_, let relation, let operand):
            return meets(stored?.createRevision ?? 0, relation, operand)
        case .modRevision(_, let relation, let operand):
            return meets(stored?.modRevision ?? 0, relation, operand)
        }
    }

    private func meets(_ left: Int64, _ relation: Compare.Relation, _ right: Int64) -> Bool {
        switch relation {
        case .equal: left == right
        case .notEqual: left != right
        case .less: left < right
        case .greater: left > right
        }
    }
}
