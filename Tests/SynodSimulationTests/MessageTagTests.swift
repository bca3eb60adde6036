import SynodPaxos
import SynodSimulation
import Testing

/// The checks tell messages apart by their first bytes.
struct MessageTagTests {
    @Test func tagsAreThoseOfTheCodec() {
        let (ballot, slot) = (Ballot(round: 1, replica: ReplicaID(1)), Slot(1))
        let progress = Progress(ballot: ballot, chosenThrough: slot, recoveredThrough: slot)
        let promise = Promise(ballot: ballot, chosenThrough: slot, accepted: [])
        let tags: [(Message, UInt8)] = [
            (.prepare(ballot: ballot, from: slot), MessageTag.prepare),
            (.promise(promise), MessageTag.promise),
            (.accept(ballot: ballot, slot: slot, entry: .noop), MessageTag.accept),
            (.accepted(ballot: ballot, first: slot, last: slot), MessageTag.accepted),
            (.chosen(progress), MessageTag.chosen),
            (.forward(ballot: ballot, boot: 1, position: 0, commands: []), MessageTag.forward),
            (
                .grant(ballot: ballot, boot: 1, batch: 1, slot: slot, stamp: nil),
                MessageTag.grant
            ),
            (.fetched(from: slot, entries: [], chosenThrough: slot), MessageTag.fetched),
        ]
        for (message, tag) in tags { #expect(message.encoded.first == tag) }
    }
}
