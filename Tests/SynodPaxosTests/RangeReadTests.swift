import SynodBytes
import SynodPaxos
import Testing

/// A range is read ahead of the prefix when all that touches it through the slot that it waits for is
/// executed.
///
/// Replica 1 reads the keys from b up to d. The leader, 3, has told that slots are chosen as they come
/// here, but for slot 1, which it lacks.
struct RangeReadTests {
    private static let leader = Ballot(1, of: 3)
    private static let range = KeySpan([UInt8(ascii: "b")], .below([UInt8(ascii: "d")]))

    /// One put, as it were, of each of the keys.
    private func commands(_ keys: String) -> [Command] {
        keys.utf8.enumerated().map { index, key in
            Command(
                id: CommandID(origin: ReplicaID(2), sequence: UInt64(index)),
                footprint: .key(Footprint.Piece(offset: 0, count: 1)), isCertain: true,
                payload: [key])
        }
    }

    private func touched(_ keys: String) -> TouchedKeys {
        TouchedKeys(commands(keys).map(\.outline))
    }

    /// - Parameter waits: of its commands for others.
    private func entry(
        _ keys: String, pending: PendingSlots, waits: [Stamp.Wait] = [], reach: Int = 2
    ) -> Entry {
        Entry(
            commands(keys),
            stamp: Stamp(reach: reach, revision: 1, uncertain: 0, waits: waits, pending: pending))
    }

    /// What is released when the entries are there and chosen: `scope`, which slot `conflict` touches.
    private func released(
        _ scope: ReadScope = .range(Self.range), after conflict: UInt64,
        _ entries: [(slot: UInt64, entry: Entry)]
    ) -> [ReleasedRead] {
        var lone = LoneReplica()
        lone.step([.read(1, scope)])
        guard case .readQuery(let round, _)? = lone.messages.first else { return [] }
        let known = ReadConflict(read: 0, slot: Slot(conflict))
        lone.hear(.readReply(round: round, chosenThrough: .zero, conflicts: [known]), from: 2)
        var chosen: UInt64 = 0
        for (slot, entry) in entries {
            lone.hear(.accept(ballot: Self.leader, slot: Slot(slot), entry: entry), from: 3)
            chosen |= 1 << (slot - 1)
        }
        let progress = Progress(
            ballot: Self.leader, chosenThrough: .zero, recoveredThrough: .zero,
            chosenBeyond: chosen)
        lone.hear(.chosen(progress), from: 3)
        #expect(lone.replica.chosenThrough == .zero)
        return lone.outbox.readable
    }

    private func isReleased(
        _ scope: ReadScope = .range(Self.range), with second: Entry
    ) -> Bool {
        let reads = released(scope, after: 2, [(2, second)])
        guard !reads.isEmpty else { return false }
        #expect(reads == [ReleasedRead(ReadID(1), through: Slot(2))])
        return true
    }

    /// The stamp of slot 2 tells what slot 1 may hold.
    @Test func aMissingSlotMattersIfItMayTouchTheRange() {
        func isReleased(_ pending: PendingSlots) -> Bool {
            self.isReleased(with: entry("c", pending: pending))
        }
        #expect(isReleased(PendingSlots([(1, touched("a"))])))
        #expect(isReleased(PendingSlots([(1, touched("ad"))])))
        #expect(!isReleased(PendingSlots([(1, touched("ab"))])))
        let open = Outline(isCertain: false, spans: [KeySpan([], .open)])
        #expect(!isReleased(PendingSlots([(1, TouchedKeys([open]))])))
        // Too many keys to tell, a slot that is not named, and bytes that say nothing.
        let many = String(repeating: "a", count: Limits.touchedBytes)
        #expect(!isReleased(PendingSlots([(1, touched(many))])))
        #expect(!isReleased(PendingSlots()))
        var bytes = Array(PendingSlots([(1, touched("a"))]).encoded)
        bytes += [1, 0xff]
        #expect(!isReleased(PendingSlots(encoded: bytes[...])))
    }

    /// Of the slot itself everything counts that touches the range, and something has to.
    @Test func allOfTheSlotThatTouchesTheRangeIsExecuted() {
        let pending = PendingSlots([(1, touched("a"))])
        func isReleased(_ keys: String, waiting commands: Int...) -> Bool {
            let waits = commands.map { Stamp.Wait(command: $0, distance: 1, other: 0) }
            return self.isReleased(with: entry(keys, pending: pending, waits: waits))
        }
        #expect(isReleased("bc"))
        #expect(!isReleased("bc", waiting: 1))
        #expect(!isReleased("bc", waiting: 0))
        #expect(isReleased("ab", waiting: 0))
        #expect(!isReleased("ad"))
    }

    /// What is there below the slot counts as it is; a no-op is not there, for nobody knows of it before
    /// the prefix has reached it.
    @Test func allBelowTheSlotThatTouchesTheRangeIsExecuted() {
        let one = (1, touched("a"))
        func isReleased(_ keys: String, _ waits: [Stamp.Wait] = []) -> Bool {
            let second = entry(keys, pending: PendingSlots([one]), waits: waits)
            let pending = PendingSlots([(2, touched("a")), (1, touched(keys))])
            let third = entry("c", pending: pending, reach: 3)
            let reads = released(after: 3, [(2, second), (3, third)])
            return reads == [ReleasedRead(ReadID(1), through: Slot(3))]
        }
        #expect(isReleased("b"))
        #expect(isReleased("ab", [Stamp.Wait(command: 0, distance: 1, other: 0)]))
        #expect(!isReleased("ba", [Stamp.Wait(command: 0, distance: 1, other: 0)]))
        func isReleased(besideNoopFor keys: String) -> Bool {
            let pending = PendingSlots([(2, touched("a")), (1, touched(keys))])
            let third = entry("c", pending: pending, reach: 3)
            return !released(after: 3, [(2, .noop), (3, third)]).isEmpty
        }
        #expect(isReleased(besideNoopFor: "a"))
        #expect(!isReleased(besideNoopFor: "b"))
    }

    /// What comes behind the slot in the range does not matter: the read sees nothing of it.
    @Test func laterSlotsDoNotHoldItUp() {
        let second = entry("c", pending: PendingSlots([(1, touched("a"))]))
        let pending = PendingSlots([(3, touched("a")), (2, touched("c")), (1, touched("b"))])
        let reads = released(after: 2, [(2, second), (4, entry("c", pending: pending, reach: 4))])
        #expect(reads == [ReleasedRead(ReadID(1), through: Slot(2))])
    }

    /// Several ranges, and whatever else there is, are read on the prefix.
    @Test func onlyOneRangeIsReadAhead() {
        let second = entry("c", pending: PendingSlots([(1, touched("a"))]))
        #expect(isReleased(with: second))
        #expect(!isReleased(.spans([Self.range]), with: second))
        #expect(!isReleased(.everything, with: second))
    }
}
