import SynodBytes
import SynodNode
import SynodPaxos
import SynodStorage

/// A cluster of real nodes, their disks, network, clocks and clients, in virtual time: one seed
/// decides everything that happens.
///
/// Whatever happens goes through one queue, in the order of its time and then of its entry. A node
/// is stepped as the server steps it: see ``takeTurn(_:)``.
package final class Simulation {
    let plan: Plan
    let membership: Membership
    var queue = EventQueue<Event>()
    private(set) var now = Instant(nanoseconds: 0)
    let hosts: [Host]
    var links: Links
    var streams: Streams
    /// Packets on clogged links.
    var held: [Packet] = []
    var clients: Clients
    /// What calls on their way to a replica carry.
    var bodies: [UInt64: ClientRequest.Body] = [:]
    var oracle: Oracle
    var reference = Reference()
    let nemesis: Nemesis
    var meter = Meter()
    let brief: BriefFaults
    /// The replica that stops for good when it is granted a slot, if one is to.
    var stopsOnGrant: Int?
    /// Who alone hears that a slot is abandoned, as long as that lasts.
    var confinement: Confinement?
    var confinements = 0
    var tally = FaultTally()
    /// The cut in force, if any, and its number.
    var cut = (fault: FaultID.n5, number: 0)
    /// By acceptor and dialler: the newest process of the dialler that the acceptor knows durably.
    var introduced: [Introduction?]
    /// Greetings of strangers that have not been judged.
    var strangers: [UInt64] = []
    var networkChance: PRNG
    var diskChance: PRNG
    var figures: [Figure] = []
    private(set) var failure: Failure?
    private(set) var eventCount: UInt64 = 0
    private(set) var digest: UInt64 = 0
    /// Takes the transcript, line by line.
    private let tell: ((String) -> Void)?
    /// Whether the run is to end before its end.
    let isInterrupted: () -> Bool
    /// Steps of one instant, to notice a node that never rests.
    var stepsAtInstant = (at: Instant(nanoseconds: 0), count: 0)
    var isSettling = false
    /// What was judged last on its way out: most messages go to several peers.
    var lastJudged: (encoded: Bytes, message: Message)?

    /// - Parameters:
    ///   - tell: takes the transcript, line by line.
    ///   - isInterrupted: asked now and then; the run ends when it says so, with what it has.
    package init(
        _ options: RunOptions, tell: ((String) -> Void)? = nil,
        isInterrupted: @escaping () -> Bool = { false }
    ) {
        var plan = Plan(options)
        self.tell = tell
        self.isInterrupted = isInterrupted
        let count = plan.replicas
        membership = Membership((1...count).map { ReplicaID(UInt64($0)) })
        let hostChance = plan.hostChance
        hosts = (0..<count).map { index in
            var chance = hostChance
            for _ in 0..<index { _ = chance.next() }
            return Host(index: index, count: count, chance: chance.fork())
        }
        links = Links(count: count, quality: plan.link, chance: plan.networkChance.fork())
        streams = Streams(count: count)
        networkChance = plan.networkChance.fork()
        diskChance = plan.diskChance.fork()
        clients = Clients(for: plan)
        oracle = Oracle(count: count)
        nemesis = Nemesis(for: plan)
        introduced = Array(repeating: nil, count: count * count)
        brief = BriefFaults(chance: plan.chance(for: .p1), count: count)
        self.plan = plan
    }

    func index(of replica: ReplicaID) -> Int? { membership.index(of: replica) }

    // MARK: Saying what happens

    /// A line of the transcript. Costs nothing when nobody listens.
    func note(_ line: @autoclosure () -> String) {
        guard let tell else { return }
        tell("\(clock) \(line())")
    }

    private var clock: String {
        let microseconds = now.nanoseconds / 1000
        let fraction = String(1_000_000 + microseconds % 1_000_000).dropFirst()
        return "\(microseconds / 1_000_000).\(fraction)"
    }

    /// The first thing that goes wrong ends the run.
    func fail(_ kind: Failure.Kind, _ invariant: String, _ message: String) {
        guard failure == nil else { return }
        note("FAILURE \(invariant): \(message)")
        failure = Failure(kind: kind, invariant: invariant, message: message)
    }

    func mix(_ value: UInt64) {
        digest = mix64(digest ^ value) &+ value
    }

    // MARK: Time

    /// Handles everything that is due until then. Stops early when something goes wrong, or when
    /// `isDone` says so.
    func run(until end: Instant, _ isDone: () -> Bool = { false }) {
        while failure == nil, let next = queue.nextTime, next <= end {
            guard let (at, event) = queue.pop() else { break }
            now = max(now, at)
            eventCount += 1
            handle(event)
            if isDone() { return }
            if eventCount & 0xff == 0, isInterrupted() {
                fail(.interruption, "Control-C", "the run ends at \(clock) s of virtual time")
            }
        }
        if failure == nil { now = max(now, end) }
    }

    private func handle(_ event: Event) {
        mix(now.nanoseconds)
        switch event {
        case .turn(let index, let life):
            guard hosts[index].life == life else { return }
            takeTurn(hosts[index])
        case .timer(let index, let life, let number):
            timerWentOff(hosts[index], life, number)
        case .logWritten(let index, let life):
            guard hosts[index].life == life else { return }
            logWritten(hosts[index])
        case .stateFlushed(let index, let life, let store, let slot):
            guard hosts[index].life == life else { return }
            stateFlushed(hosts[index], store, through: slot)
        case .start(let index, let life):
            guard hosts[index].life == life, hosts[index].standing == .down,
                mayRecover(hosts[index])
            else { return }
            start(hosts[index])
        case .resume(let index, let life):
            guard hosts[index].life == life else { return }
            resume(hosts[index])
        case .packet(let packet):
            mix(UInt64(packet.from * 16 + packet.to))
            for message in packet.messages { mix(UInt64(CRC32C.checksum(message))) }
            arrived(packet)
        case .stream(let event): handle(event)
        case .client(let index, let event): handle(event, of: index)
        case .fault(let fault): act(fault)
        case .end(let end): self.end(end)
        case .compare:
            queue.push(.compare, at: now + .seconds(5))
            compareStates(of: hosts)
            if let lowest = hosts.compactMap(\.glance?.revision).min() {
                oracle.lowestRevision = lowest
            }
        }
    }
}
