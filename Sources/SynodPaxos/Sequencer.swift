import DequeModule
import SynodBytes

/// The leader's view of what it has handed out and not executed yet, from which it makes stamps.
///
/// Only what is granted to others can lie for long, while slots behind it are chosen. So as long
/// as the leader proposes alone, its entries go without a stamp, are executed in the order of the
/// slots, and cost next to nothing here; and what comes behind such an entry waits for it.
struct Sequencer: Hashable, Sendable {
    private let recoveredThrough: Slot
    /// Nil while what the leader recovered is not executed: nothing is stamped before.
    private var executed: Executed?
    /// The revision behind all that was handed out, but for what uncertain commands that are not
    /// executed may add. It never goes back: a slot that becomes a no-op leaves a gap.
    private var revision: Int64 = 0
    /// Handed out and not executed, by rising slots.
    private var slots: Deque<HandedOut> = []
    /// Those of them that are granted to other proposers.
    private var grantedCount = 0
    /// Whatever comes behind it is executed behind it.
    private var lastUnstamped = Slot.zero
    /// The last command on each key.
    private var points: [Key: Place] = [:]
    /// The same keys in order; nil until somebody asks for a range, and again when more is executed.
    private var orderedPoints: SpanIndex<Key>?
    /// The commands on ranges of keys.
    private var ranges = SpanIndex<Place>()
    /// How many keys and ranges there may be before it is looked which are executed.
    private var pointLimit = Limits.sequencedKeys
    private var rangeLimit = Self.fewRanges

    private static let fewRanges = 64

    private struct HandedOut: Hashable {
        let slot: Slot
        let certain: Int
        let hasUncertain: Bool
        let isGranted: Bool
        let keys: TouchedKeys
    }

    private struct Place: Hashable, Comparable {
        let slot: Slot
        let command: Int

        static func < (left: Place, right: Place) -> Bool {
            (left.slot, left.command) < (right.slot, right.command)
        }
    }

    init(recoveredThrough: Slot) {
        self.recoveredThrough = recoveredThrough
    }

    /// Whether others have slots that are not executed.
    var isShared: Bool { grantedCount > 0 }

    /// This replica has executed some more.
    mutating func executed(_ news: Executed) {
        guard news.through >= recoveredThrough, news != executed else { return }
        while let first = slots.first, first.slot <= news.through {
            if first.isGranted { grantedCount -= 1 }
            slots.removeFirst()
        }
        if let before = executed {
            revision = max(revision + news.taken - before.taken, news.revision)
        } else {
            revision = slots.reduce(news.revision) { $0 + Int64($1.certain) }
        }
        executed = news
        forget(through: news.through)
    }

    /// What is executed holds nobody up.
    private mutating func forget(through slot: Slot) {
        orderedPoints = nil
        if slots.isEmpty {
            points.removeAll(keepingCapacity: points.count <= Limits.sequencedKeys)
            ranges = SpanIndex()
            (pointLimit, rangeLimit) = (Limits.sequencedKeys, Self.fewRanges)
        }
        // Twice as many as are left each time, so that looking costs little for each that was added.
        if points.count > pointLimit {
            points = points.filter { $1.slot > slot }
            pointLimit = max(Limits.sequencedKeys, points.count * 2)
        }
        if ranges.count > rangeLimit {
            ranges.keep { $0.slot > slot }
            rangeLimit = max(Self.fewRanges, ranges.count * 2)
        }
    }

    /// The leader proposes in a slot by itself. Nil: in the order of the slots.
    mutating func propose(_ commands: [Command], in slot: Slot) -> Stamp? {
        guard isShared else {
            let certain = commands.reduce(0) { $0 + ($1.isCertain ? 1 : 0) }
            handOut(slot, certain, of: commands.count, TouchedKeys(), isGranted: false)
            lastUnstamped = slot
            return nil
        }
        return stamp(slot, commands.map(\.outline), isGranted: false)
    }

    /// The slot is granted for such commands. Nil: they are executed in the order of the slots.
    mutating func grant(_ slot: Slot, for outlines: [Outline]) -> Stamp? {
        stamp(slot, outlines, isGranted: true)
    }

    private mutating func handOut(
        _ slot: Slot, _ certain: Int, of count: Int, _ keys: TouchedKeys, isGranted: Bool
    ) {
        revision += Int64(certain)
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.countsTooMany.isActive, isGranted, slot.rawValue % 4 == 0 {
                revision += 1
            }
        #endif
        if isGranted { grantedCount += 1 }
        slots.append(
            HandedOut(
                slot: slot, certain: certain, hasUncertain: certain < count, isGranted: isGranted,
                keys: keys))
    }

    private mutating func stamp(
        _ slot: Slot, _ outlines: [Outline], isGranted: Bool
    ) -> Stamp? {
        let revision = revision
        let uncertain = uncertainSlots(before: slot)
        let certain = outlines.reduce(0) { $0 + ($1.isCertain ? 1 : 0) }
        handOut(
            slot, certain, of: outlines.count, TouchedKeys(outlines), isGranted: isGranted)
        guard let base = executed.map({ max($0.through, lastUnstamped) }),
            slot.distance(from: executed!.through) <= Stamp.longestReach,
            let waits = waits(of: outlines, in: slot, above: base)
        else {
            lastUnstamped = slot
            return nil
        }
        return Stamp(
            reach: slot.distance(from: base), revision: revision, uncertain: uncertain,
            waits: waits, pending: pending(before: slot, above: base))
    }

    private func pending(before slot: Slot, above base: Slot) -> PendingSlots {
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.forgetsPending.isActive { return PendingSlots() }
        #endif
        let open = slots.filter { $0.slot > base && $0.slot < slot }
        return PendingSlots(open.map { (slot.distance(from: $0.slot), $0.keys) })
    }

    private func uncertainSlots(before slot: Slot) -> UInt64 {
        var mask: UInt64 = 0
        for item in slots where item.hasUncertain {
            mask |= 1 << UInt64(slot.distance(from: item.slot) - 1)
        }
        return mask
    }

    /// What each command waits for; nil if one may touch any key, or if it is too much.
    private mutating func waits(
        of outlines: [Outline], in slot: Slot, above base: Slot
    ) -> [Stamp.Wait]? {
        var waits: [Stamp.Wait] = []
        for (index, outline) in outlines.enumerated() {
            guard let spans = outline.spans else { return nil }
            let here = Place(slot: slot, command: index)
            var others = Set<Place>()
            for span in spans { take(span, at: here, &others) }
            // In order, for a set has none that all processes share.
            for other in others.sorted() where other.slot > base && other != here {
                waits.append(
                    Stamp.Wait(
                        command: index, distance: slot.distance(from: other.slot),
                        other: other.command))
            }
            guard waits.count <= Limits.stampWaits else { return nil }
        }
        return waits
    }

    /// Notes who touches the span from now on, and finds who did.
    private mutating func take(_ span: KeySpan, at here: Place, _ others: inout Set<Place>) {
        ranges.forEach(overlapping: span) { others.insert($0) }
        if span.isPoint {
            #if SYNOD_PLANTED_BUGS
                if PlantedBug.forgetsConflict.isActive, here.slot.rawValue % 4 == 0 { return }
            #endif
            let key = Key(span.lower)
            if let other = points.updateValue(here, forKey: key) {
                others.insert(other)
            } else {
                orderedPoints?.insert(KeySpan(key.bytes[...]), key)
            }
        } else {
            orderPoints()
            orderedPoints!.forEach(overlapping: span) { others.insert(points[$0]!) }
            ranges.insert(span, here)
        }
    }

    private mutating func orderPoints() {
        guard orderedPoints == nil else { return }
        if let executed { points = points.filter { $1.slot > executed.through } }
        orderedPoints = SpanIndex(points.keys.map { (KeySpan($0.bytes[...]), $0) })
    }
}
