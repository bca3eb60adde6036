import SynodBytes
import SynodNode
import SynodPaxos

/// Streams and what travels on them.
extension Simulation {
    /// A replica's messages leave for a peer, unless there is no stream to it.
    func send(_ messages: [Bytes], from host: Host, to peer: ReplicaID) {
        guard let to = index(of: peer) else { return }
        let from = host.index
        guard case .open(let connection) = streams.sending(from, to) else { return }
        judge(messages, leaving: host, for: to)
        for message in messages where message.count > Limits.messageBytes {
            let bytes = message.count
            fail(.liveness, "I10", "\(host.name) has a message that never leaves: \(bytes) bytes")
        }
        if streams.isBroken(from, to, passes: links.passes(from, to), at: now) {
            note("\(host.name)→r\(to + 1): nothing has got through for long, the stream breaks")
            queue.push(
                .stream(.lostInbound(from: from, to: to, connection: connection)),
                at: now + .seconds(1))
            return breakOutbound(from, to)
        }
        if links.isEven(from, to) {
            transmit(Packet(from: from, to: to, connection: connection, messages: messages))
        } else {
            for message in messages {
                transmit(Packet(from: from, to: to, connection: connection, messages: [message]))
            }
        }
    }

    private func transmit(_ packet: Packet) {
        let bytes = packet.messages.reduce(0) { $0 + $1.count }
        switch links.send(packet.from, packet.to, bytes: bytes, at: now) {
        case .lost(let drawn):
            let fault = drawn == .n5 ? cut.fault : drawn
            note(
                "r\(packet.from + 1)→r\(packet.to + 1): lost (\(fault.rawValue)) \(summary(packet))"
            )
            if drawn == .n5 { tally.fired(fault) }
        case .held:
            tally.fired(.n4)
            held.append(packet)
        case .arrives(let times):
            links[packet.from, packet.to].inFlight += 1
            queue.push(.packet(packet), at: times[0])
            for time in times.dropFirst() {
                var copy = packet
                copy.isReplay = true
                queue.push(.packet(copy), at: time)
            }
        }
    }

    func arrived(_ packet: Packet) {
        if !packet.isReplay { links[packet.from, packet.to].inFlight -= 1 }
        let host = hosts[packet.to]
        guard host.isUp else { return }
        guard let current = streams.hearing(packet.from, packet.to) else {
            // The process that had accepted this connection is gone: its successor resets it.
            guard !packet.isReplay else { return }
            queue.push(
                .stream(
                    .lostOutbound(
                        from: packet.from, to: packet.to, connection: packet.connection)),
                at: now + links.quality.delay)
            return
        }
        if current != packet.connection {
            // Left over from an earlier connection of an accepted peer.
            guard packet.isReplay || plan.isEnabled(.n9) else { return }
            tally.fired(packet.isReplay ? .n2 : .n9)
        }
        deliver(packet, to: host)
    }

    private func deliver(_ packet: Packet, to host: Host) {
        let messages = plan.isEnabled(.d12) ? packet.messages.map(damaged) : packet.messages
        if plan.options.profile == .brief,
            !brief.meets(messages, from: hosts[packet.from].id, at: host, self)
        {
            return
        }
        note("\(host.name)←r\(packet.from + 1): \(summary(packet))")
        guard post(.received(messages, from: hosts[packet.from].id), to: host) else {
            return tally.fired(.p8)
        }
    }

    // MARK: Streams

    func handle(_ event: StreamEvent) {
        switch event {
        case .dial(let from, let to, let life): dial(from, to, life)
        case .hello(let from, let to, let connection, let hello):
            greeted(from, to, connection, hello)
        case .accepted(let from, let to, let connection, let reply):
            guard streams.sending(from, to) == .dialling(connection), hosts[from].isUp else {
                return
            }
            streams.open(from, to, connection)
            // What is on its way on an older connection does not hold up the new one.
            links[from, to].lastArrival = now
            hosts[from].refusals[to] = nil
            note("\(hosts[from].name)→r\(to + 1): the stream is open")
            post(.streamOpened(hosts[to].id, reply: reply), to: hosts[from])
        case .refused(let from, let to, let connection, let reason):
            guard streams.sending(from, to) == .dialling(connection) else { return }
            refused(from, to, reason)
        case .dialTimeout(let from, let to, let connection):
            guard streams.sending(from, to) == .dialling(connection) else { return }
            breakOutbound(from, to)
        case .lostOutbound(let from, let to, let connection):
            guard streams.sending(from, to) == .open(connection) else { return }
            breakOutbound(from, to)
        case .lostInbound(let from, let to, let connection):
            guard streams.hearing(from, to) == connection else { return }
            streams.hear(from, to, on: nil)
            guard hosts[to].isUp else { return }
            post(.streamLost(hosts[from].id), to: hosts[to])
        }
    }

    private func dial(_ from: Int, _ to: Int, _ life: Int) {
        let host = hosts[from]
        guard host.isUp, host.life == life, streams.sending(from, to) == .idle,
            let node = host.node
        else { return }
        let connection = streams.begin(from, to)
        guard links.connects(from, to) else {
            queue.push(
                .stream(.dialTimeout(from: from, to: to, connection: connection)),
                at: now + Streams.connectTimeout)
            return
        }
        guard hosts[to].isUp else {
            queue.push(
                .stream(.dialTimeout(from: from, to: to, connection: connection)),
                at: now + links.quality.delay * 2)
            return
        }
        let hello = node.hello(to: hosts[to].id)
        queue.push(
            .stream(.hello(from: from, to: to, connection: connection, hello)),
            at: now + links.quality.delay * 3)
        queue.push(
            .stream(.dialTimeout(from: from, to: to, connection: connection)),
            at: now + Streams.handshakeTimeout)
    }

    private func greeted(_ from: Int, _ to: Int, _ connection: UInt64, _ hello: Bytes) {
        guard links.passes(from, to), hosts[to].isUp else { return }
        streams.waiting[connection] = (from, to, hello)
        guard !post(.greeted(ConnectionID(connection), hello: hello), to: hosts[to]) else { return }
        // It hangs up without a verdict.
        streams.waiting[connection] = nil
        queue.push(
            .stream(.dialTimeout(from: from, to: to, connection: connection)),
            at: now + links.quality.delay)
    }

    /// A replica's verdict on a stream that a peer has opened.
    func judge(_ id: ConnectionID, _ verdict: Verdict, at host: Host) {
        guard let (from, to, hello) = streams.waiting.removeValue(forKey: id.rawValue) else {
            return strangerJudged(id, verdict, at: host)
        }
        let passes = links.passes(to, from)
        switch verdict {
        case .accept(_, let reply):
            streams.hear(from, to, on: id.rawValue)
            introduce(from, to: to, by: hello)
            if case .idle = streams.sending(to, from) {
                queue.push(.stream(.dial(from: to, to: from, life: host.life)), at: now)
            }
            guard passes else { return }
            queue.push(
                .stream(.accepted(from: from, to: to, connection: id.rawValue, reply: reply)),
                at: now + links.quality.delay)
        case .refuse(let reason):
            note("\(host.name) refuses r\(from + 1): \(reason)")
            if plan.options.sabotage == .ignoresRefusals {
                streams.hear(from, to, on: id.rawValue)
                queue.push(
                    .stream(.accepted(from: from, to: to, connection: id.rawValue, reply: [])),
                    at: now + links.quality.delay)
                return
            }
            guard passes else { return }
            queue.push(
                .stream(.refused(from: from, to: to, connection: id.rawValue, reason: reason)),
                at: now + links.quality.delay)
        }
    }

    /// As the server does: one peer's refusal may be the peer's own fault; without a majority of
    /// the others there is nothing left to do.
    private func refused(_ from: Int, _ to: Int, _ reason: String) {
        let host = hosts[from]
        redial(from, to, after: streams.close(from, to, isRefused: true))
        guard host.isUp else { return }
        host.refusals[to] = reason
        let count = host.refusals.count { $0 != nil }
        if hosts.count - count < membership.majority {
            stop(host, .out("its peers refuse it: \(reason)"))
        }
    }

    private func breakOutbound(_ from: Int, _ to: Int) {
        redial(from, to, after: streams.close(from, to))
    }

    private func redial(_ from: Int, _ to: Int, after wait: Interval) {
        guard hosts[from].isUp else { return }
        let jitter = networkChance.interval(below: wait / 4)
        queue.push(
            .stream(.dial(from: from, to: to, life: hosts[from].life)), at: now + wait + jitter)
    }

    /// The connection from one replica to another is reset; both sides find out.
    func reset(_ from: Int, _ to: Int) {
        guard case .open(let connection) = streams.sending(from, to) else { return }
        queue.push(
            .stream(.lostInbound(from: from, to: to, connection: connection)),
            at: now + links.quality.delay)
        breakOutbound(from, to)
    }

    /// A process has ended. The system behind it closes its connections, unless the machine itself
    /// has died: then nobody is told.
    func closeStreams(of host: Host, tellsPeers: Bool) {
        for peer in hosts where peer !== host {
            _ = streams.close(host.index, peer.index)
            streams.hear(peer.index, host.index, on: nil)
            let heard = streams.hearing(host.index, peer.index)
            if tellsPeers, links.passes(host.index, peer.index), let heard {
                queue.push(
                    .stream(.lostInbound(from: host.index, to: peer.index, connection: heard)),
                    at: now + links.quality.delay)
            }
            if case .open(let connection) = streams.sending(peer.index, host.index), tellsPeers {
                queue.push(
                    .stream(
                        .lostOutbound(
                            from: peer.index, to: host.index, connection: connection)),
                    at: now + links.quality.delay)
            }
        }
        let own = streams.waiting.filter { $0.value.to == host.index }
        for connection in own.keys { streams.waiting[connection] = nil }
    }
}
