/// How many bytes a replica proposes before it waits for what came of them: as many as its links carry
/// while an answer may take.
///
/// More in flight would only wait in front of the link, longer and longer, until others take the
/// replica for dead, abandon its slots and have everything sent again. So it goes by how long
/// slots take: each that is decided in time lets a little more be in flight, and one that is late
/// makes it a quarter less, once for all that was in flight with it. Where even the quickest takes long,
/// twice as long counts as in time.
///
/// A leader's payloads hold up others, too: what it grants them stands behind it in its link, and while
/// they wait their own links are idle. So as long as others propose, an eighth of the time counts as long.
package struct Pace: Hashable, Sendable {
    /// Bytes that may be in flight. One entry may be by itself, however large it is.
    package private(set) var budget = Limits.entryBytes
    private var lastCut = Instant(nanoseconds: 0)
    /// The quickest decision so far: what distance and disks take, whatever is in flight.
    private var quickest: Interval?

    private static let largest = Limits.windowBytes
    private static let smallest = 256 << 10
    private static let smallestBesideOthers = 32 << 10

    package init() {}

    /// Bytes of an entry that others are to follow in.
    var entryBytes: Int { min(Limits.entryBytes, budget / 2) }

    func hasRoom(inFlight: Int, for bytes: Int) -> Bool {
        inFlight == 0 || inFlight + bytes <= budget
    }

    /// An entry was decided that had been proposed at `start`, with so many bytes in flight by now.
    /// - Parameters:
    ///   - response: what a decision may take.
    ///   - holdsUpOthers: whether this is a leader while others have slots from it.
    package mutating func decided(
        bytes: Int, inFlight: Int, proposedAt start: Instant, response: Interval,
        holdsUpOthers: Bool, _ now: Instant
    ) {
        let target = holdsUpOthers ? response / 8 : response
        let span = now.since(start)
        quickest = min(quickest ?? span, span)
        if span <= max(target, quickest! * 2) {
            // Where it is not used up, nothing tells that more would do.
            guard inFlight * 4 >= budget else { return }
            let isFirstRise = lastCut.nanoseconds == 0
            budget = min(Self.largest, budget + (isFirstRise ? bytes : bytes / 4))
        } else if start >= lastCut {
            let least = holdsUpOthers ? Self.smallestBesideOthers : Self.smallest
            budget = max(least, min(budget, inFlight) / 4 * 3)
            lastCut = now
        }
    }
}
