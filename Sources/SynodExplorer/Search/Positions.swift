import SynodPaxos

/// All positions of one replica in the game: its state together with all that it has sent. The
/// state of the cluster is one position of each replica.
struct Positions {
    let index: Int
    private let scope: Scope
    private let ledger: Ledger
    private let staleness: Staleness
    private(set) var hosts: HostStates
    private var sets: PacketSets
    private var numbers = WordMap()
    private var all: [Position] = []
    /// By position and mail: an index into `moves`.
    private var known = WordMap()
    private var moves: [[Move]] = []
    private var inner: [[Move]?] = []
    /// By position and mail: an index into `reactions`.
    private var reacted = WordMap()
    private var reactions: [Reaction] = []
    private var trimmed = WordMap()

    struct Position {
        let host: Int32
        let sent: Int32
    }

    /// An event and the position behind it.
    struct Move: Hashable {
        let next: Int32
        let learned: Marks
    }

    /// What of the mail need not be left to the search.
    struct Reaction {
        /// The position after all answers that leave the replica as it is. Nothing is lost by giving
        /// them at once: they need not arrive, and everything else remains possible.
        let answered: Int32
        /// The mail without what can never do anything again here, once all is answered.
        let lively: Int32
    }

    init(_ index: Int, _ scope: Scope, _ stepper: HostStepper) {
        self.index = index
        self.scope = scope
        ledger = stepper.ledger
        staleness = Staleness(scope: scope)
        hosts = HostStates(stepper)
        sets = PacketSets(stepper.ledger, replicas: scope.replicas)
    }

    var count: Int { all.count }

    subscript(number: Int32) -> Position { all[Int(number)] }

    func host(_ number: Int32) -> Host { hosts[all[Int(number)].host] }

    func summary(_ number: Int32) -> HostStates.Summary {
        hosts.summaries[Int(all[Int(number)].host)]
    }

    /// What was ever sent to a replica, by the number of the ledger.
    func mail(_ number: Int32, to recipient: Int) -> Int32 {
        sets.mail(all[Int(number)].sent, to: recipient)
    }

    mutating func number(_ host: Host) -> Int32 {
        var quiet = host
        quiet.deed = Host.Deed()
        return number(host: hosts.number(quiet), sent: sets.number(host.deed.sent))
    }

    private mutating func number(host: Int32, sent: Int32) -> Int32 {
        let key = WordMap.pair(host, sent)
        if let number = numbers[key] { return Int32(number) }
        let number = Int32(all.count)
        numbers.add(key, UInt32(number))
        all.append(Position(host: host, sent: sent))
        inner.append(nil)
        return number
    }

    private mutating func move(
        _ outcome: HostStates.Outcome, from position: Position
    ) -> Move {
        let sent = sets.union(position.sent, sets.number(outcome.deed.sent))
        return Move(next: number(host: outcome.next, sent: sent), learned: outcome.deed.learned)
    }

    // MARK: Moves

    /// Where it leads that one of these packets arrives; those that change nothing are left out.
    mutating func moves(of number: Int32, mail: Int32) throws(Violation) -> [Move] {
        let key = WordMap.pair(number, mail)
        if let index = known[key] { return moves[Int(index)] }
        let position = all[Int(number)]
        var result: [Move] = []
        for packet in ledger.mail(mail) {
            let outcome = try hosts.deliver(packet, to: position.host)
            let move = move(outcome, from: position)
            if move.next != number, !result.contains(move) { result.append(move) }
        }
        known.add(key, UInt32(moves.count))
        moves.append(result)
        return result
    }

    /// What can happen within the replica.
    mutating func innerMoves(of number: Int32) throws(Violation) -> [Move] {
        if let known = inner[Int(number)] { return known }
        let result = try named(number, []).map(\.move)
        inner[Int(number)] = result
        return result
    }

    /// The position behind the completion of the oldest write.
    mutating func completion(of number: Int32) throws(Violation) -> Move {
        let position = all[Int(number)]
        let events = try hosts.innerEvents(of: position.host)
        guard let sync = events.first(where: { $0.event == .sync }) else {
            preconditionFailure("A write is under way.")
        }
        return move(sync.outcome, from: position)
    }

    /// All that can happen at a position when these packets are there, by its event.
    mutating func named(
        _ number: Int32, _ packets: [Int32]
    ) throws(Violation) -> [(event: Event, move: Move)] {
        let position = all[Int(number)]
        var result: [(event: Event, move: Move)] = []
        for (event, outcome) in try hosts.innerEvents(of: position.host) {
            result.append((event, move(outcome, from: position)))
        }
        for packet in packets {
            let outcome = try hosts.deliver(packet, to: position.host)
            result.append((.delivery(packet), move(outcome, from: position)))
        }
        return result
    }

    // MARK: Reductions

    mutating func reaction(to mail: Int32, at number: Int32) throws(Violation) -> Reaction {
        let key = WordMap.pair(number, mail)
        if let known = reacted[key] { return reactions[Int(known)] }
        let answered = try answering(mail, at: number)
        let lively = answered == number ? try lively(mail, at: number) : mail
        let reaction = Reaction(answered: answered, lively: lively)
        reacted.add(key, UInt32(reactions.count))
        reactions.append(reaction)
        return reaction
    }

    private mutating func answering(_ mail: Int32, at number: Int32) throws(Violation) -> Int32 {
        let position = all[Int(number)]
        var sent = position.sent
        for packet in ledger.mail(mail) {
            let outcome = try hosts.deliver(packet, to: position.host)
            guard outcome.next == position.host, outcome.deed.learned == 0 else { continue }
            sent = sets.union(sent, sets.number(outcome.deed.sent))
        }
        for (event, outcome) in try hosts.innerEvents(of: position.host)
        where event == .repetition {
            sent = sets.union(sent, sets.number(outcome.deed.sent))
        }
        return self.number(host: position.host, sent: sent)
    }

    private mutating func lively(_ mail: Int32, at number: Int32) throws(Violation) -> Int32 {
        let position = all[Int(number)]
        let host = hosts[position.host]
        var left: [Int32] = []
        for packet in ledger.mail(mail) {
            let outcome = try hosts.deliver(packet, to: position.host)
            let isNoEvent = move(outcome, from: position) == Move(next: number, learned: 0)
            if isNoEvent, staleness.isStale(ledger.packet(packet), for: host) { continue }
            left.append(packet)
        }
        return ledger.mailNumber(left)
    }

    /// With other mail to one recipient.
    mutating func replacing(to recipient: Int, by mail: Int32, at number: Int32) -> Int32 {
        let key =
            UInt64(UInt32(bitPattern: number)) << 32
            | UInt64(UInt32(bitPattern: mail)) << 3 | UInt64(recipient)
        if let known = trimmed[key] { return Int32(known) }
        let position = all[Int(number)]
        let sent = sets.replacing(position.sent, to: recipient, by: ledger.mail(mail))
        let result = self.number(host: position.host, sent: sent)
        trimmed.add(key, UInt32(result))
        return result
    }
}
