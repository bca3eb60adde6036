import SynodBytes
import SynodPaxos

/// The links between replicas, one for each direction.
struct Links {
    struct Link {
        var isCut = false
        var isClogged = false
        var isBad = false
        var inFlight = 0
        var lastArrival = Instant(nanoseconds: 0)
        /// Delays are multiplied by this.
        var slowness: UInt64 = 1
        /// Treated by the run's quality; false once the link is part of a healed core.
        var isFaulty = true
    }

    enum Fate {
        case lost(FaultID)
        /// Copies arrive then; the first is the message itself.
        case arrives([Instant])
        /// Waits for the link to be unclogged.
        case held
    }

    let quality: LinkQuality
    private let count: Int
    private var links: [Link]
    /// By sender: when everything that it has been given to send has left it.
    private var idleAt: [Instant]
    private var chance: PRNG
    private(set) var tally = FaultTally()

    init(count: Int, quality: LinkQuality, chance: PRNG) {
        self.count = count
        self.quality = quality
        self.chance = chance
        links = Array(repeating: Link(), count: count * count)
        idleAt = Array(repeating: Instant(nanoseconds: 0), count: count)
    }

    subscript(from: Int, to: Int) -> Link {
        get { links[from * count + to] }
        set { links[from * count + to] = newValue }
    }

    func passes(_ from: Int, _ to: Int) -> Bool {
        !links[from * count + to].isCut && !links[from * count + to].isClogged
    }

    /// Whether messages pass in both directions.
    func connects(_ one: Int, _ other: Int) -> Bool { passes(one, other) && passes(other, one) }

    func isEven(_ from: Int, _ to: Int) -> Bool {
        quality.isEven || !links[from * count + to].isFaulty
    }

    mutating func healCuts() {
        for index in links.indices { links[index].isCut = false }
    }

    mutating func setCut(_ from: Int, _ to: Int, _ isCut: Bool = true) {
        links[from * count + to].isCut = isCut
    }

    /// Leaves only links whose ends satisfy the condition.
    mutating func keepOnly(_ isKept: (_ from: Int, _ to: Int) -> Bool) {
        for from in 0..<count {
            for to in 0..<count where from != to { setCut(from, to, !isKept(from, to)) }
        }
    }

    /// What becomes of a packet of so many bytes sent now.
    mutating func send(_ from: Int, _ to: Int, bytes: Int, at now: Instant) -> Fate {
        let place = from * count + to
        guard !links[place].isCut else { return .lost(.n5) }
        guard !links[place].isClogged else { return .held }
        guard links[place].isFaulty else {
            return .arrives([arrival(place, now + .microseconds(300), inOrder: true)])
        }
        guard links[place].inFlight < quality.capacity else {
            tally.fired(.n8)
            return .lost(.n8)
        }
        if chance.perMillion(quality.turnsBad) { links[place].isBad.toggle() }
        let loss = links[place].isBad ? quality.burstLoss : quality.lost
        if chance.perMillion(loss) {
            tally.fired(.n1)
            return .lost(.n1)
        }
        let departure = departure(of: bytes, from: from, at: now)
        let first = arrival(place, departure + delay(place), inOrder: !quality.reorders)
        guard chance.perMillion(quality.doubled) else { return .arrives([first]) }
        tally.fired(.n2)
        return .arrives([first, first + chance.interval(below: quality.replay)])
    }

    /// Releases what a clogged link held back: it all arrives soon, in order.
    mutating func arrivalOfHeld(_ from: Int, _ to: Int, at now: Instant) -> Instant {
        arrival(from * count + to, now + quality.delay, inOrder: true)
    }

    /// When the last byte of a packet leaves its sender.
    private mutating func departure(of bytes: Int, from: Int, at now: Instant) -> Instant {
        guard let rate = quality.bytesPerSecond else { return now }
        let time = Interval(nanoseconds: UInt64(bytes) * 1_000_000_000 / rate)
        idleAt[from] = max(idleAt[from], now) + time
        return idleAt[from]
    }

    private mutating func delay(_ place: Int) -> Interval {
        var delay = quality.delay
        if quality.spread.nanoseconds > 0 {
            delay = delay + chance.exponential(mean: quality.spread)
        }
        if chance.perMillion(quality.straggling) {
            delay = delay + chance.interval(.seconds(1), .seconds(10))
            tally.fired(.n3)
        }
        if links[place].slowness > 1 { tally.fired(.n11) }
        return delay * links[place].slowness
    }

    private mutating func arrival(_ place: Int, _ at: Instant, inOrder: Bool) -> Instant {
        if at < links[place].lastArrival {
            guard inOrder else {
                tally.fired(.n3)
                return at
            }
            return links[place].lastArrival
        }
        links[place].lastArrival = at
        return at
    }
}
