/// How a range is answered: which keys of the index are candidates, which of them pass the
/// filters, and in which order.
struct RangeQuery {
    /// A key that the range holds at the revision asked for.
    struct Candidate {
        let id: KeyID
        /// The change in force.
        let mark: Mark
        /// Whether that is the key's last change.
        let isLatest: Bool
        /// Its rank by key.
        let position: Int
        /// Known only if ``isLatest``, unless the record was asked.
        var createRevision: Int64
        var version: Int64
    }

    private let request: RangeRequest
    /// Nil: the latest.
    private let revision: Int64?
    /// Whether keys have changed since that are not among the pending ones.
    private let isHistoric: Bool
    let limit: Int
    /// Whether every key has to be looked at before the first can be returned.
    let needsAll: Bool

    init(_ request: RangeRequest, _ view: RequestView) {
        self.request = request
        let asked = request.revision <= 0 ? view.visibleRevision : request.revision
        isHistoric = asked != view.visibleRevision
        revision = isHistoric || view.isPast ? asked : nil
        limit = request.limit <= 0 ? .max : Int(request.limit)
        let isInKeyOrder = request.sortTarget == .key && request.sortOrder != .descending
        needsAll = request.hasFilters || !isInKeyOrder
    }

    /// The candidates, no more than can be returned, and the number of keys in the range.
    func gather(
        from index: KeyIndex, _ pending: PendingRecords
    ) -> (candidates: [Candidate], count: Int) {
        let wanted = request.countOnly ? 0 : (needsAll ? .max : limit)
        var candidates: [Candidate] = []
        if !isHistoric && wanted < .max {
            // The rest of the range is counted without looking at every key.
            gather(wanted, from: index, into: &candidates)
            let later = revision.map { pending.liveChange(after: $0, in: request.range) } ?? 0
            return (candidates, index.liveCount(in: request.range) - later)
        }
        var count = 0
        index.forEach(in: request.range) { id in
            guard let candidate = candidate(index, id, position: count) else { return true }
            count += 1
            if candidates.count < wanted { candidates.append(candidate) }
            return true
        }
        return (candidates, count)
    }

    private func gather(_ wanted: Int, from index: KeyIndex, into candidates: inout [Candidate]) {
        guard wanted > 0 else { return }
        index.forEach(in: request.range) { id in
            if let candidate = candidate(index, id, position: candidates.count) {
                candidates.append(candidate)
            }
            return candidates.count < wanted
        }
    }

    private func candidate(_ index: KeyIndex, _ id: KeyID, position: Int) -> Candidate? {
        let latest = index[id].latest
        let mark: Mark
        if let revision {
            guard let inForce = index[id].mark(at: revision) else { return nil }
            mark = inForce
        } else {
            guard index[id].isLive else { return nil }
            mark = latest
        }
        return Candidate(
            id: id, mark: mark, isLatest: mark.isSameChange(as: latest), position: position,
            createRevision: index[id].createRevision, version: index[id].version)
    }

    /// Whether filters or order depend on what only records tell of older changes.
    func needsRecords(_ request: RangeRequest) -> Bool {
        request.minCreateRevision != 0 || request.maxCreateRevision != 0
            || request.sortTarget == .createRevision || request.sortTarget == .version
    }

    func filter(_ candidates: inout [Candidate]) {
        guard request.hasFilters else { return }
        func passes(_ revision: Int64, min: Int64, max: Int64) -> Bool {
            (min == 0 || revision >= min) && (max == 0 || revision <= max)
        }
        candidates.removeAll { candidate in
            !passes(
                candidate.mark.main, min: request.minModRevision, max: request.maxModRevision)
                || !passes(
                    candidate.createRevision, min: request.minCreateRevision,
                    max: request.maxCreateRevision)
        }
    }

    /// Sorts by anything but the value. A target other than the key without an order is sorted
    /// ascending; keys that are equal in it stay in their own order.
    static func sort(_ candidates: inout [Candidate], by request: RangeRequest) {
        let isDescending = request.sortOrder == .descending
        func sort(by figure: (Candidate) -> Int64) {
            candidates.sort { left, right in
                let (first, second) = (figure(left), figure(right))
                if first == second { return left.position < right.position }
                return isDescending ? first > second : first < second
            }
        }
        switch request.sortTarget {
        case .key: if isDescending { candidates.reverse() }
        case .version: sort { $0.version }
        case .createRevision: sort { $0.createRevision }
        case .modRevision: sort { $0.mark.main }
        case .value, nil: break
        }
    }
}
