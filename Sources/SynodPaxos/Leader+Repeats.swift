/// What a leader says again to one acceptor, and when.
///
/// Everything at first, for a connection may have been lost. If less than half of that was answered,
/// the link is bad or narrow, and the next time it is a few slots only; each that is answered then
/// brings another one, so that a link which carries two messages at a time is never given more,
/// and is never idle. That is how TCP recovers (Jacobson, *Congestion Avoidance and Control*, 1988).
struct Repeats: Hashable, Sendable {
    /// When what is not answered is sent again.
    private(set) var dueAt = Instant.distantFuture
    /// How often in a row nothing was answered.
    private var failures: UInt64 = 0
    /// Slots that are sent again at once.
    private(set) var burst = Int.max
    /// Of the last time: slots sent again, through which one, and how many of them were answered.
    private(set) var sent = 0
    private(set) var through = Slot.zero
    private var answered = 0

    private static let fewSlots = 8
    /// After so many failures the time between two repetitions grows no more: a link that has passed
    /// nothing for a while may pass something soon.
    private static let mostFailures: UInt64 = 2

    /// Something is in flight.
    mutating func arm(at instant: Instant) {
        if dueAt == .distantFuture { dueAt = instant }
    }

    /// A stream was opened: what was said before may be lost, all of it.
    mutating func connected(_ now: Instant) {
        dueAt = now
        burst = .max
        sent = 0
    }

    /// The lowest slot that was not answered is another one now.
    mutating func progressed(until instant: Instant) {
        failures = 0
        dueAt = instant
    }

    /// So many of the slots through the last that was sent again are answered. Returns how many of those
    /// that were sent again that can be.
    mutating func noteAnswered(_ count: Int) -> Int {
        let count = min(count, sent - answered)
        answered += count
        return count
    }

    /// The time has come to send again.
    mutating func chooseBurst() {
        guard sent > 0 else { return }
        if answered * 2 < sent { burst = Self.fewSlots }
        failures = answered > 0 ? 0 : min(failures + 1, Self.mostFailures)
    }

    /// So many slots were sent again.
    mutating func finish(_ sent: Int, through: Slot, _ now: Instant, retransmission: Interval) {
        if sent == 0 {
            burst = .max
            failures = 0
        }
        self.sent = sent
        self.through = through
        answered = 0
        dueAt = now + retransmission * (sent == 0 ? 1 : 2 << failures)
    }

    /// More of them were sent in return for answers.
    mutating func sentMore(_ count: Int, through: Slot) {
        sent += count
        self.through = through
    }
}

// Saying again what acceptors have not answered.
extension Leader {
    /// A stream to the peer was opened: what it has not answered may have been lost.
    package mutating func connected(_ index: Int, now: Instant) {
        peers[index].connectedAt = now
        if !inFlight.isEmpty { peers[index].repeats.connected(now) }
    }

    /// When something wants to be sent again.
    package var repeatAt: Instant { peers.map(\.repeats.dueAt).min() ?? .distantFuture }

    /// Sends unanswered proposals again to those whose time has come, less often each time that
    /// nothing comes of it.
    package mutating func repeatUnanswered(
        _ now: Instant, retransmission: Interval, _ outbox: inout Outbox
    ) {
        for index in peers.indices where peers[index].repeats.dueAt <= now {
            peers[index].repeats.chooseBurst()
            let (count, through) = send(
                again: peers[index].repeats.burst, from: inFlight.base, to: index, now,
                retransmission: retransmission, &outbox)
            peers[index].repeats.finish(
                count, through: through, now, retransmission: retransmission)
        }
    }

    /// What a peer has answered makes room on the way to it.
    mutating func repeatMore(
        to index: Int, for answered: Int, _ now: Instant, retransmission: Interval,
        _ outbox: inout Outbox
    ) {
        let room = peers[index].repeats.noteAnswered(answered)
        guard room > 0 else { return }
        let (count, through) = send(
            again: room, from: peers[index].repeats.through.next, to: index, now,
            retransmission: retransmission, &outbox)
        if count > 0 { peers[index].repeats.sentMore(count, through: through) }
    }

    /// Sends again what a peer has not answered, from a slot on, as far as that is not many slots or
    /// bytes. What has not been known for long is on its way, perhaps from its proposer. Returns how
    /// many slots were sent, and the last of them.
    private func send(
        again most: Int, from first: Slot, to index: Int, _ now: Instant,
        retransmission: Interval, _ outbox: inout Outbox
    ) -> (count: Int, through: Slot) {
        var (count, bytes, last) = (0, 0, Slot.zero)
        var slot = max(first, inFlight.base)
        while slot < inFlight.end, count < most, bytes < Limits.burstBytes {
            defer { slot = slot.next }
            guard let proposal = inFlight[slot], let entry = proposal.entry,
                !proposal.acceptedBy.contains(index)
            else { continue }
            // The own no-op is a promise as well, and nobody hears of it before it is durable.
            guard proposal.attempt == 0 || proposal.acceptedBy.contains(me) else { continue }
            guard
                now.since(proposal.knownAt) >= retransmission
                    || proposal.knownAt <= peers[index].connectedAt
            else { continue }
            bytes += entry.encoded.count
            count += 1
            last = slot
            outbox.send(
                .accept(
                    ballot: proposal.attempt == 0 ? ballot : ballot.abandoning, slot: slot,
                    entry: entry),
                to: .replica(membership.replicas[index]))
        }
        return (count, last)
    }
}
