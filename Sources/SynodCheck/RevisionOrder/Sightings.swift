import SynodBytes

/// What all answers together say about the states of each key, before anything is replayed.
///
/// They tell at a gap which unknown writes cannot have filled it, long before the replay would run
/// into the contradiction. An index changes no verdict, only the time to reach it.
struct Sightings {
    /// A key was in one state from one revision through another.
    struct Sighting {
        let from: Int64
        var through: Int64
        /// Zero, with the version, where the key did not exist.
        let createRevision: Int64
        let version: Int64

        var isLive: Bool { version > 0 }
    }

    /// By the number of the key; of each, in the order of revisions.
    private var sightings: [[Sighting]]
    /// The revisions at which answered writes put a key.
    private var puts: [[Int64]]
    /// The revisions at which answered writes deleted a key, or others of a range that it is in.
    private var deletions: [[Int64]]
    /// What was seen of the revisions that nobody was answered with.
    private(set) var gapValues: [Int64: Set<KeyValue>] = [:]

    init(_ timeline: Timeline, _ operations: [Operation], _ keys: KeyTable) {
        sightings = Array(repeating: [], count: keys.keys.count)
        puts = Array(repeating: [], count: keys.keys.count)
        deletions = puts
        guard !timeline.gaps.isEmpty else { return }
        let gaps = Set(timeline.gaps)
        for operation in operations {
            guard let response = operation.response else { continue }
            collect(response, gaps, keys)
            collectWrites(operation.request, response.body, response.revision, keys)
            collectAbsence(operation.request, response, keys)
        }
        for key in sightings.indices {
            sightings[key] = Self.merged(sightings[key])
            puts[key].sort()
            deletions[key].sort()
        }
    }

    /// The first sighting that ends at a revision or later.
    func next(_ key: Int, from revision: Int64) -> Sighting? {
        let all = sightings[key]
        let index = all.binarySearch { $0.through >= revision }
        return index < all.count ? all[index] : nil
    }

    /// How many answered writes put the key after one revision and through another.
    func putCount(_ key: Int, after first: Int64, through last: Int64) -> Int64 {
        let all = puts[key]
        return Int64(all.binarySearch { $0 > last } - all.binarySearch { $0 > first })
    }

    /// The first revision after one and through another at which an answered write may have deleted
    /// the key.
    func firstDeletion(_ key: Int, after first: Int64, through last: Int64) -> Int64? {
        let all = deletions[key]
        let index = all.binarySearch { $0 > first }
        return index < all.count && all[index] <= last ? all[index] : nil
    }

    private mutating func collect(_ response: Response, _ gaps: Set<Int64>, _ keys: KeyTable) {
        let isChange = response.body.isChange
        let stateBefore = isChange ? response.revision - 1 : response.revision
        response.body.forEachKeyValue { keyValue in
            let from = keyValue.modRevision
            // What a transaction reads of its own writes need not be what it leaves behind.
            if isChange, from == response.revision { return }
            guard let key = keys.number(of: keyValue.key) else { return }
            sightings[key].append(
                Sighting(
                    from: from, through: max(from, stateBefore),
                    createRevision: keyValue.createRevision, version: keyValue.version))
            if gaps.contains(from) { gapValues[from, default: []].insert(keyValue) }
        }
    }

    private mutating func collectWrites(
        _ request: Request, _ body: Body, _ revision: Int64, _ keys: KeyTable
    ) {
        switch (request, body) {
        case (.put(let key, _, _), .put):
            if let number = keys.number(of: key) { puts[number].append(revision) }
        case (.delete(let range, _), .delete(let count, _)) where count > 0:
            for number in keys.numbers(in: range) { deletions[number].append(revision) }
        case (.txn(_, let success, let failure), .txn(let succeeded, let bodies)):
            for (request, body) in zip(succeeded ? success : failure, bodies) {
                collectWrites(request, body, revision, keys)
            }
        default: break
        }
    }

    /// Only of single keys: a range that is read often would say it too many times.
    private mutating func collectAbsence(
        _ request: Request, _ response: Response, _ keys: KeyTable
    ) {
        let absent: (key: Bytes, revision: Int64)
        switch (request, response.body) {
        case (.put(let key, _, wantsPrevious: true), .put(previous: nil)):
            absent = (key, response.revision - 1)
        case (.range(let range, _), .range(_, count: 0)) where range.upper == nil:
            absent = (range.lower, response.revision)
        default: return
        }
        guard let key = keys.number(of: absent.key) else { return }
        sightings[key].append(
            Sighting(
                from: absent.revision, through: absent.revision, createRevision: 0, version: 0))
    }

    private static func merged(_ sightings: [Sighting]) -> [Sighting] {
        var merged: [Sighting] = []
        for sighting in sightings.sorted(by: { $0.from < $1.from }) {
            if let last = merged.indices.last, merged[last].from == sighting.from,
                merged[last].isLive == sighting.isLive
            {
                merged[last].through = max(merged[last].through, sighting.through)
            } else {
                merged.append(sighting)
            }
        }
        return merged
    }
}
