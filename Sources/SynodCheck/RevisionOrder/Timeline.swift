/// The answered operations of a history, laid out by the revisions of their answers.
struct Timeline {
    /// The revision of a store that nobody has written to.
    static let firstRevision: Int64 = 1

    /// The highest revision that anybody was told.
    private(set) var lastRevision = Self.firstRevision
    /// For each revision from 2 the operation that made it, or nil: a gap, which only a write
    /// whose outcome is unknown can fill.
    private(set) var writers: [Int?] = []
    private(set) var gaps: [Int64] = []
    /// Operations that may have made a revision without anybody knowing, by their calls.
    private(set) var unknownWrites: [Int] = []
    /// For each revision from 1 the first of the operations that saw it, and behind each the next.
    private var firstReaders: [Int?] = []
    private var nextReaders: [Int?] = []

    /// `placements` has the operations that do not belong where their answers say.
    init(_ operations: [Operation], _ leeway: Leeway, _ placements: [Int: Int64])
        throws(Refutation)
    {
        unknownWrites = operations.indices.filter {
            operations[$0].outcome == .unknown && operations[$0].request.canWrite
        }
        unknownWrites.sort { operations[$0].call < operations[$1].call }
        let writes = try Self.writes(operations, leeway)
        try setLastRevision(operations, writes, leeway)
        layOut(operations, writes, leeway, placements)
    }

    func writer(of revision: Int64) -> Int? {
        writers[Int(revision - Self.firstRevision) - 1]
    }

    func firstReader(of revision: Int64) -> Int? {
        firstReaders[Int(revision - Self.firstRevision)]
    }

    func reader(after reader: Int) -> Int? { nextReaders[reader] }

    /// The answered writes in the order of their revisions, each of which belongs to one of them.
    private static func writes(
        _ operations: [Operation], _ leeway: Leeway
    ) throws(Refutation) -> [(Int64, Int)] {
        var writes: [(revision: Int64, operation: Int)] = []
        for (index, operation) in operations.enumerated() {
            guard let response = operation.response else { continue }
            guard response.revision >= Self.firstRevision + (response.body.isChange ? 1 : 0) else {
                throw Refutation("has a revision that no store ever has", [index])
            }
            guard response.body.isChange else { continue }
            guard !leeway.skipped.contains(response.revision) else {
                throw Refutation("has a revision that no write was to make", [index])
            }
            writes.append((response.revision, index))
        }
        writes.sort { $0.revision < $1.revision }
        for (write, next) in zip(writes, writes.dropFirst()) where write.revision == next.revision {
            throw Refutation("duplicates the revision of", [next.operation, write.operation])
        }
        return writes
    }

    /// Fails where more revisions are missing than unknown writes can have made, so that a
    /// revision out of all proportion cannot make the timeline as long.
    private mutating func setLastRevision(
        _ operations: [Operation], _ writes: [(Int64, Int)], _ leeway: Leeway
    ) throws(Refutation) {
        var last: Int?
        for (index, operation) in operations.enumerated() {
            guard let revision = operation.response?.revision, revision > lastRevision else {
                continue
            }
            lastRevision = revision
            last = index
        }
        let skipped = leeway.skipped.count { $0 <= lastRevision }
        let missing = lastRevision - Self.firstRevision - Int64(writes.count + skipped)
        if let last, missing > unknownWrites.count {
            throw Refutation(
                "lies above \(missing) revisions that nobody was answered with, and only "
                    + "\(unknownWrites.count) writes have an unknown outcome", [last])
        }
    }

    private mutating func layOut(
        _ operations: [Operation], _ writes: [(Int64, Int)], _ leeway: Leeway,
        _ placements: [Int: Int64]
    ) {
        let count = Int(lastRevision - Self.firstRevision)
        writers = Array(repeating: nil, count: count)
        for (revision, operation) in writes {
            writers[Int(revision - Self.firstRevision) - 1] = operation
        }
        gaps = writers.indices.filter { writers[$0] == nil }.map {
            Self.firstRevision + 1 + Int64($0)
        }
        gaps.removeAll(where: leeway.skipped.contains)
        firstReaders = Array(repeating: nil, count: count + 1)
        nextReaders = Array(repeating: nil, count: operations.count)
        for index in operations.indices.reversed() {
            guard let response = operations[index].response, !response.body.isChange else {
                continue
            }
            let place = Int((placements[index] ?? response.revision) - Self.firstRevision)
            nextReaders[index] = firstReaders[place]
            firstReaders[place] = index
        }
    }
}

/// What is wrong, about operations by their indices: the first is the sentence's subject, the
/// others its objects.
struct Refutation: Error {
    let predicate: String
    let operations: [Int]

    init(_ predicate: String, _ operations: [Int]) {
        self.predicate = predicate
        self.operations = operations
    }

    func violation(of history: [Operation]) -> Violation {
        let involved = operations.map { history[$0] }
        let subject = involved.first.map { "\($0) " } ?? ""
        let objects = involved.dropFirst().map { " \($0)" }.joined(separator: " and")
        return Violation(subject + predicate + objects, involved)
    }
}
