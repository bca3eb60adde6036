import SynodBytes

extension Body {
    /// Whether any store in any state may answer the request so: the kinds agree, and keys are
    /// those that were asked for, once each and in their order.
    func fits(_ request: Request) -> Bool {
        switch (request, self) {
        case (.put(let key, _, let wantsPrevious), .put(let previous)):
            previous.map { wantsPrevious && $0.key == key } ?? true
        case (.delete(let range, let wantsPrevious), .delete(let count, let previous)):
            wantsPrevious
                ? Self.fit(previous, count, range) : previous.isEmpty && Self.fits(count, range)
        case (.range(let range, _), .range(let found, let count)): Self.fit(found, count, range)
        case (.txn(_, let success, let failure), .txn(let succeeded, let bodies)):
            Self.fit(bodies, succeeded ? success : failure)
        case (.put, _), (.delete, _), (.range, _), (.txn, _): false
        }
    }

    private static func fit(_ bodies: [Body], _ requests: [Request]) -> Bool {
        bodies.count == requests.count && zip(bodies, requests).allSatisfy { $0.fits($1) }
    }

    private static func fit(_ found: [KeyValue], _ count: Int64, _ range: KeyRange) -> Bool {
        found.count == count && found.allSatisfy { range.contains($0.key) }
            && zip(found, found.dropFirst()).allSatisfy { $0.key.lexicographicallyPrecedes($1.key) }
    }

    private static func fits(_ count: Int64, _ range: KeyRange) -> Bool {
        count >= 0 && (range.upper != nil || count <= 1)
    }
}
