import SynodBytes

/// Says which of the writes with unknown outcomes can have made a revision that nobody was
/// answered with.
struct GapFiller {
    private let operations: [Operation]
    private let unknownWrites: [Int]
    private let latestCalls: [Int64: UInt64]
    private let sightings: Sightings
    private let gaps: Set<Int64>
    /// The unknown writes that put a value, by their places in `unknownWrites`.
    private var byValue: [Bytes: [Int]] = [:]
    /// The gap that only this unknown write can fill, because only it puts what was seen there.
    private var reserved: [Int: Int64] = [:]

    init(_ timeline: Timeline, _ operations: [Operation], _ keys: KeyTable) {
        self.operations = operations
        unknownWrites = timeline.unknownWrites
        gaps = Set(timeline.gaps)
        latestCalls = RealTimeOrder.latestCalls(timeline, operations)
        sightings = Sightings(timeline, operations, keys)
        for (place, index) in unknownWrites.enumerated() {
            operations[index].request.forEachPut { byValue[$1, default: []].append(place) }
        }
        for (gap, seen) in sightings.gapValues {
            for keyValue in seen {
                if let writers = byValue[keyValue.value], writers.count == 1 {
                    reserved[writers[0]] = gap
                }
            }
        }
    }

    /// The places in `unknownWrites` of all that can have made a revision, likeliest first, and how
    /// many were tried. The model is at the revision before, and is left so.
    func candidates(
        for gap: Int64, _ isUsed: [Bool], _ model: inout Model
    ) -> (places: [Int], tried: Int) {
        let latestCall = latestCalls[gap] ?? .max
        var ranked: [(rank: Int64, place: Int)] = []
        var tried = 0
        for place in pool(gap, latestCall) where !isUsed[place] {
            let operation = operations[unknownWrites[place]]
            guard operation.call <= latestCall, reserved[place] ?? gap == gap else { continue }
            tried += 1
            let mark = model.changes.count
            _ = model.execute(operation.request, at: gap)
            if let rank = rank(gap, mark, model) { ranked.append((rank, place)) }
            model.rollBack(to: mark)
        }
        ranked.sort { $0 < $1 }
        return (ranked.map(\.place), tried)
    }

    private func pool(_ gap: Int64, _ latestCall: UInt64) -> [Int] {
        if let seen = sightings.gapValues[gap]?.first { return byValue[seen.value] ?? [] }
        let end = unknownWrites.binarySearch { operations[$0].call > latestCall }
        return Array(0..<end)
    }

    /// By when somebody has seen the change, so that the most urgent is tried first, as among jobs
    /// with deadlines; nil if it changes nothing or contradicts an answer.
    private func rank(_ gap: Int64, _ mark: Int, _ model: Model) -> Int64? {
        let changes = model.changes[mark...]
        if changes.isEmpty { return nil }
        for keyValue in sightings.gapValues[gap] ?? [] {
            guard let key = model.keys.number(of: keyValue.key), model.keyValue(key) == keyValue
            else { return nil }
        }
        var earliest = Int64.max
        for change in changes {
            guard let deadline = deadline(change.key, model.slots[change.key], gap) else {
                return nil
            }
            earliest = min(earliest, deadline)
        }
        return earliest
    }

    /// When it was next seen that the key had been changed into the slot's state at a gap, or
    /// `max` if the change was not seen; nil if something else was.
    private func deadline(_ key: Int, _ slot: Model.Slot, _ gap: Int64) -> Int64? {
        guard let next = sightings.next(key, from: gap) else { return .max }
        guard next.isLive else { return slot.isLive ? .max : next.from }
        if next.from < gap { return nil }
        // The generation seen next begins later, so this change ended one, or a delete is to come.
        if next.createRevision > gap { return slot.isLive ? .max : next.createRevision }
        guard slot.isLive, slot.createRevision == next.createRevision else { return nil }
        let putsBetween =
            sightings.putCount(key, after: gap, through: next.from)
            + (next.from > gap && gaps.contains(next.from) ? 1 : 0)
        return slot.version + putsBetween <= next.version ? next.from : nil
    }
}
