import SynodBytes
import SynodNode
import SynodPaxos
import SynodStorage

/// Faults of links, streams and strangers.
extension Simulation {
    private func duration(_ fault: FaultID) -> Interval {
        nemesis.draw(fault) { chance in
            let mean = plan.timing.election * chance.pick([1, 3, 10])
            return min(chance.exponential(mean: mean), .seconds(60))
        }
    }

    // MARK: N4

    /// Clogs one link, or those of a random subset one by one, unclogged in another order.
    func clog() {
        let pairs = nemesis.draw(.n4) { chance -> [(Int, Int)] in
            let pairs = allPairs
            guard chance.chance(1, in: 4) else {
                return pairs.isEmpty ? [] : [pairs[chance.index(pairs.count)]]
            }
            return chance.shuffled(pairs).filter { _ in chance.chance(1, in: 2) }
        }
        for (from, to) in pairs {
            note("r\(from + 1)→r\(to + 1): clogged")
            links[from, to].isClogged = true
            push(.unclog(from: from, to: to), after: duration(.n4))
        }
    }

    var allPairs: [(Int, Int)] {
        hosts.indices.flatMap { from in
            hosts.indices.filter { $0 != from }.map { (from, $0) }
        }
    }

    func unclog(_ from: Int, _ to: Int) {
        guard mayRecover(hosts[from]), mayRecover(hosts[to]) else { return }
        links[from, to].isClogged = false
        let released = held.filter { $0.from == from && $0.to == to }
        held.removeAll { $0.from == from && $0.to == to }
        for packet in released {
            links[from, to].inFlight += 1
            queue.push(.packet(packet), at: links.arrivalOfHeld(from, to, at: now))
        }
    }

    // MARK: N5, N6, N7

    private func cutOff(_ fault: FaultID, _ isKept: (_ from: Int, _ to: Int) -> Bool) {
        cut = (fault, cut.number + 1)
        links.keepOnly(isKept)
        push(.heal(number: cut.number), after: duration(fault))
    }

    func partition() {
        let leader = hosts.firstIndex { $0.glance?.isLeading == true }
        let side = nemesis.draw(.n5) { chance -> [Bool] in
            switch chance.index(3) {
            case 0: return hosts.map { _ in chance.chance(1, in: 2) }
            case 1:
                let single = chance.index(hosts.count)
                return hosts.map { $0.index == single }
            default: return hosts.map { $0.index == leader }
            }
        }
        note(
            "partition: "
                + hosts.map { "\($0.name) \(side[$0.index] ? "A" : "B")" }.joined(separator: ", "))
        cutOff(.n5) { side[$0] == side[$1] }
    }

    func cutOneWay() {
        let (kind, one, other) = nemesis.draw(.n6) {
            ($0.index(3), $0.index(hosts.count), $0.index(hosts.count))
        }
        switch kind {
        case 0:
            note("r\(one + 1) can hear and not send")
            cutOff(.n6) { from, _ in from != one }
        case 1:
            note("r\(one + 1) can send and not hear")
            cutOff(.n6) { _, to in to != one }
        default:
            note("nothing goes from r\(one + 1) to r\(other + 1)")
            cutOff(.n6) { from, to in from != one || to != other }
        }
    }

    func cutToGraph() {
        let (graph, centre, other) = nemesis.draw(.n7) {
            ($0.pick(Graph.allCases), $0.index(hosts.count), $0.index(hosts.count))
        }
        note("only these links are left: \(graph.rawValue) around r\(centre + 1)")
        let count = hosts.count
        cutOff(.n7) { graph.connects($0, $1, count: count, centre: centre, other: other) }
    }

    // MARK: N9, N11, N12

    func resetStream() {
        let pairs = allPairs
        guard !pairs.isEmpty else { return }
        let (from, to) = pairs[nemesis.draw(.n9) { $0.index(pairs.count) }]
        guard case .open = streams.sending(from, to) else { return }
        note("r\(from + 1)→r\(to + 1): reset")
        tally.fired(.n9)
        reset(from, to)
    }

    /// One replica's links are slow for the whole run.
    func slowDown() {
        let (slow, factor) = nemesis.draw(.n11) {
            ($0.index(hosts.count), $0.pick([10, 100, 1000]))
        }
        for host in hosts where host.index != slow {
            links[slow, host.index].slowness = UInt64(factor)
            links[host.index, slow].slowness = UInt64(factor)
        }
    }

    func cutClient() {
        let (client, bits) = nemesis.draw(.n12) {
            ($0.index(clients.all.count), UInt16(truncatingIfNeeded: $0.next()))
        }
        clients.all[client].cutOff = bits
        push(.reconnect(client: client), after: duration(.n12))
    }

    // MARK: N13

    /// Somebody else introduces himself: he must be refused, whoever he says he is.
    func sendStranger() {
        let host = victim(.n13)
        let model = victim(.n13)
        guard host.isUp, model !== host, let node = model.node else { return }
        var hello = node.hello(to: host.id)
        let kind = nemesis.draw(.n13) { $0.index(4) }
        switch kind {
        case 0: hello[0] ^= 1  // Another cluster.
        case 1: hello[8] ^= 64  // Not a member.
        case 2: hello[40] ^= 64  // Meant for another.
        default: hello = Bytes(hello.prefix(11))
        }
        let connection = UInt64(1) << 48 + UInt64(eventCount)
        strangers.append(connection)
        note("a stranger knocks at \(host.name)")
        post(.greeted(ConnectionID(connection), hello: hello), to: host)
        // A message of an unknown kind, and one from nobody.
        post(.received([[63, 1, 2, 3], []], from: model.id), to: host)
        post(.received([[1, 1]], from: ReplicaID(99)), to: host)
    }

    func strangerJudged(_ id: ConnectionID, _ verdict: Verdict, at host: Host) {
        guard let place = strangers.firstIndex(of: id.rawValue) else { return }
        strangers.remove(at: place)
        tally.fired(.n13)
        guard case .accept = verdict else { return }
        fail(.safety, "N13", "\(host.name) let a stranger in")
    }

    /// A replica's peer has accepted the process that said hello, and remembers it durably. That
    /// process may be gone by now, where the peer was suspended meanwhile.
    func introduce(_ from: Int, to: Int, by hello: Bytes) {
        var reader = ByteReader(hello)
        guard let identity = try? Identity(reading: &reader) else { return }
        introduced[to * hosts.count + from] = Introduction(
            incarnation: identity.incarnation, boot: identity.boot)
    }

    /// Whether every peer knows this replica's directory and, if asked, its present start.
    func isKnownToAll(_ host: Host, withBoot: Bool) -> Bool {
        hosts.allSatisfy { peer in
            guard peer !== host else { return true }
            guard let known = introduced[peer.index * hosts.count + host.index] else {
                return false
            }
            return known.incarnation == host.disk.identity.incarnation
                && (!withBoot || known.boot == host.glance?.boot)
        }
    }

    // MARK: D12

    /// A part of a state may arrive damaged or cut short.
    func damaged(_ message: Bytes) -> Bytes {
        // So that a state of many parts has a chance to arrive.
        let rarity: UInt64 = plan.chunkBytes < NodeLimits.chunkBytes ? 100 : 3
        guard message.first == MessageTag.snapshotChunk, !isSettling,
            nemesis.draw(.d12, { $0.chance(1, in: rarity) })
        else { return message }
        tally.fired(.d12)
        var message = message
        let place = nemesis.draw(.d12) { 1 + $0.index(message.count - 1) }
        if nemesis.draw(.d12, { $0.chance(1, in: 4) }) {
            message.removeLast(message.count - place)
        } else {
            message[place] ^= UInt8(1) << UInt8(nemesis.draw(.d12) { $0.index(8) })
        }
        return message
    }
}
