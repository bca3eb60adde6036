import SynodBytes

/// Says which of the writes with unknown outcomes can have made a revision that nobody was
/// answered with.
struct GapFiller {
    private let operations: [Operation]
    private let unknownWrites: [Int]
    private let latestCalls: [Int64: UInt64]
    private let sightings: Sightings
    private let gaps: Set<Int64>
    /// By gap: where the log has the next answered write of which that is known.
    private var nextPlaces: [Int64: UInt64] = [:]
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
        var next = UInt64.max
        for (offset, writer) in timeline.writers.enumerated().reversed() {
            if let writer {
                next = operations[writer].place ?? next
            } else {
                nextPlaces[Timeline.firstRevision + 1 + Int64(offset)] = next
            }
        }
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
        for gap: Int64, _ isUsed: [Bool], after last: Replay.LastPlace, _ model: inout Model
    ) -> (places: [Int], tried: Int) {
        let latestCall = latestCalls[gap] ?? .max
        let nextPlace = nextPlaces[gap] ?? .max
        var ranked: [(urgency: Urgency, place: Int)] = []
        /// Of those with a known place in the log, the first that changes anything.
        var first: (inLog: UInt64, urgency: Urgency?, place: Int)?
        var tried = 0
        for place in pool(gap, latestCall) where !isUsed[place] {
            let operation = operations[unknownWrites[place]]
            guard operation.call <= latestCall, reserved[place] ?? gap == gap else { continue }
            if let inLog = operation.place, inLog <= last.place || inLog >= nextPlace { continue }
            tried += 1
            let mark = model.changes.count
            _ = model.execute(operation.request, at: gap)
            defer { model.rollBack(to: mark) }
            let urgency = urgency(gap, mark, model)
            // If the log says which write made the revision before, then all that come behind that
            // write find this state, and the first of them that changes it made this revision.
            if let inLog = operation.place, last.revision == gap - 1 {
                guard model.changes.count > mark, inLog < first?.inLog ?? .max else { continue }
                first = (inLog, urgency, place)
            } else if let urgency {
                ranked.append((urgency, place))
            }
        }
        if let first, let urgency = first.urgency { ranked.append((urgency, first.place)) }
        ranked.sort { $0 < $1 }
        return (ranked.map(\.place), tried)
    }

    private func pool(_ gap: Int64, _ latestCall: UInt64) -> [Int] {
        if let seen = sightings.gapValues[gap]?.first { return byValue[seen.value] ?? [] }
        let end = unknownWrites.binarySearch { operations[$0].call > latestCall }
        return Array(0..<end)
    }

    /// How soon the change has to be made, so that the most urgent is tried first, as among jobs
    /// with deadlines; nil if it changes nothing or contradicts an answer.
    private func urgency(_ gap: Int64, _ mark: Int, _ model: Model) -> Urgency? {
        let changes = model.changes[mark...]
        if changes.isEmpty { return nil }
        for keyValue in sightings.gapValues[gap] ?? [] {
            guard let key = model.keys.number(of: keyValue.key), model.keyValue(key) == keyValue
            else { return nil }
        }
        var whole: Urgency?
        for change in changes {
            let slot = model.slots[change.key]
            guard let part = urgency(change.key, slot, gap) else { return nil }
            whole = whole.map { Urgency.ofBoth($0, part) } ?? part
        }
        return whole
    }

    private func urgency(_ key: Int, _ slot: Model.Slot, _ gap: Int64) -> Urgency? {
        guard let next = sightings.next(key, from: gap) else { return .unseen }
        if next.isLive {
            if next.from < gap { return nil }
            if next.createRevision <= gap { return urgencyOfPut(key, slot, gap, before: next) }
        }
        // Between the change and what was seen next, the key was absent.
        let limit = next.isLive ? next.createRevision : next.from
        let deletion = sightings.firstDeletion(key, after: gap, through: limit)
        if slot.isLive { return deletion == nil ? .unlikely : .replaced }
        guard let deletion else { return .seen(limit) }
        return sightings.putCount(key, after: gap, through: deletion) > 0 ? .replaced : .unlikely
    }

    /// Of a put that belongs to the generation that was seen next, as long as that counts enough
    /// versions.
    private func urgencyOfPut(
        _ key: Int, _ slot: Model.Slot, _ gap: Int64, before next: Sightings.Sighting
    ) -> Urgency? {
        guard slot.isLive, slot.createRevision == next.createRevision else { return nil }
        let putsBetween =
            sightings.putCount(key, after: gap, through: next.from)
            + (next.from > gap && gaps.contains(next.from) ? 1 : 0)
        return slot.version + putsBetween <= next.version ? .seen(next.from) : nil
    }
}

/// How well a change fits what was seen later. An order of attempts, no more: whatever is possible
/// is tried in the end.
private enum Urgency: Comparable {
    /// Somebody has seen by this revision that such a change had been made.
    case seen(Int64)
    /// Nobody has looked at the key since.
    case unseen
    /// An answered write has removed the trace.
    case replaced
    /// Another unknown write must have removed the trace.
    case unlikely

    static func ofBoth(_ first: Urgency, _ second: Urgency) -> Urgency {
        first == .unlikely || second == .unlikely ? .unlikely : min(first, second)
    }
}
