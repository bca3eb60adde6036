import SynodBytes

/// What the leader knows, when it hands out a slot, of the slots before it that are not executed:
/// enough to execute the commands of the slot before those of others that touch other keys, at
/// the same revisions as in the order of the slots.
///
/// A command is executed when
/// - everything through the *base* is,
/// - and the uncertain commands of the slots marked as uncertain are, and those before it in its own
///   entry: they decide its revision,
/// - and the commands that it waits for are: the last ones before it on each of its keys.
///
/// All of these come before it in the order of slots and, within one, of commands. So nothing ever
/// waits in a circle, and what waits is what a lock on a key would make wait.
///
/// A slot that becomes a no-op, because its proposer has died, counts as executed when everything
/// before it is: so whoever waits for it waits for those that it would have waited for.
package struct Stamp: Hashable, Sendable {
    /// How many slots its own lies behind the base: 1 to 64.
    package let reach: Int
    /// The revision before the entry's first command, but for what the uncertain slots add to it.
    package let revision: Int64
    /// Slots before this one with commands that may take a revision or not, whatever the leader has
    /// not executed of them: the one right before it is the lowest bit.
    package let uncertain: UInt64
    /// By rising commands.
    package let waits: [Wait]
    /// What may still be decided before this slot, for reads.
    package let pending: PendingSlots

    /// A command of the entry waits for another one.
    package struct Wait: Hashable, Sendable {
        package let command: Int
        /// How many slots before; 0: in the same entry.
        package let distance: Int
        package let other: Int

        package init(command: Int, distance: Int, other: Int) {
            self.command = command
            self.distance = distance
            self.other = other
        }
    }

    package static let longestReach = 64

    package init(
        reach: Int, revision: Int64, uncertain: UInt64, waits: [Wait],
        pending: PendingSlots = PendingSlots()
    ) {
        precondition((1...Self.longestReach).contains(reach), "A stamp reaches over a window.")
        self.reach = reach
        self.revision = revision
        self.uncertain = uncertain
        self.waits = waits
        self.pending = pending
    }

    package func base(of slot: Slot) -> Slot {
        Slot(slot.rawValue - min(UInt64(reach), slot.rawValue))
    }

    /// The uncertain slots before `slot`, the last one first.
    package func uncertainSlots(before slot: Slot) -> [Slot] {
        var slots: [Slot] = []
        var rest = uncertain
        while rest != 0 {
            let distance = UInt64(rest.trailingZeroBitCount) + 1
            if distance < slot.rawValue { slots.append(Slot(slot.rawValue - distance)) }
            rest &= rest - 1
        }
        return slots
    }

    /// The commands that wait for those of other entries, be it by way of others of their own.
    var delayedCommands: Set<Int> {
        var delayed: Set<Int> = []
        // By rising commands, and each waits for earlier ones.
        for wait in waits where wait.distance > 0 || delayed.contains(wait.other) {
            delayed.insert(wait.command)
        }
        return delayed
    }

    /// Upper bound of the bytes it takes.
    var byteCount: Int { 40 + 12 * waits.count + pending.encoded.count }
}

extension ByteWriter {
    mutating func write(_ stamp: Stamp) {
        writeVarint(UInt64(stamp.reach))
        writeVarint(UInt64(stamp.revision))
        writeVarint(stamp.uncertain)
        writeVarint(UInt64(stamp.waits.count))
        var command = 0
        for wait in stamp.waits {
            writeVarint(UInt64(wait.command - command))
            writeVarint(UInt64(wait.distance))
            writeVarint(UInt64(wait.other))
            command = wait.command
        }
        writePrefixed(stamp.pending.encoded)
    }
}

extension ByteReader {
    mutating func readStamp() throws(MalformedBytes) -> Stamp {
        let reach = try readVarint()
        let revision = try readVarint()
        guard (1...UInt64(Stamp.longestReach)).contains(reach), revision <= Limits.highestRevision
        else { throw MalformedBytes("a stamp out of range") }
        let uncertain = try readVarint()
        var waits: [Stamp.Wait] = []
        var command: UInt64 = 0
        for _ in 0..<(try readCount()) {
            let step = try readVarint()
            let distance = try readVarint()
            let other = try readVarint()
            // One command may be in an entry that is larger than others, but never more than so many.
            let most = UInt64(Limits.entryCommands)
            guard step < most, command + step < most, distance <= UInt64(Stamp.longestReach),
                other < most, distance > 0 || other < command + step
            else { throw MalformedBytes("a stamp whose command waits for a later one") }
            command += step
            waits.append(
                Stamp.Wait(command: Int(command), distance: Int(distance), other: Int(other)))
        }
        return Stamp(
            reach: Int(reach), revision: Int64(revision), uncertain: uncertain, waits: waits,
            pending: PendingSlots(encoded: try readPrefixed()))
    }
}

/// How far a replica has executed, and what came of it.
package struct Executed: Hashable, Sendable {
    /// Everything through here is executed.
    package let through: Slot
    /// The revision after that.
    package let revision: Int64
    /// How many uncertain commands have taken a revision through there, since some fixed slot.
    package let taken: Int64

    package init(through: Slot, revision: Int64, taken: Int64) {
        self.through = through
        self.revision = revision
        self.taken = taken
    }
}
