import SynodBytes
import SynodCheck
import SynodNode
import SynodPaxos

/// Clients at work.
extension Simulation {
    private static let clientDelay = Interval.microseconds(200)

    func handle(_ event: ClientEvent, of client: Int) {
        switch event {
        case .act: actClient(client)
        case .arrive(let call, let host): arrived(call, at: hosts[host])
        case .answer(let call, let reply): answered(call, reply, client)
        case .giveUp(let call):
            guard clients.all[client].call == call else { return }
            note("c\(client): gives up on call \(call)")
            finish(call, .unknown, client)
        }
    }

    private func actClient(_ index: Int) {
        guard !clients.isStopped, clients.all[index].call == nil else { return }
        let isRepeated = clients.workload.insists && clients.all[index].again != nil
        guard isRepeated || clients.made < clients.workload.operations else { return }
        let number = clients.calls.count
        if !isRepeated { clients.made += 1 }
        if clients.all[index].chance.below(1_000_000) < clients.workload.compactions {
            return compact(index)
        }
        var request = clients.maker.make(number, for: index)
        if let again = clients.all[index].again {
            request = RequestMaker.renewed(again, number)
        }
        clients.all[index].again = nil
        _ = call(request, by: index, at: clients.all[index].host)
    }

    private func compact(_ index: Int) {
        let revision = oracle.lowestRevision
        let isPhysical = clients.all[index].chance.chance(1, in: 2)
        let body = RequestEncoder.compaction(of: revision, isPhysical: isPhysical)
        send(body, for: nil, by: index, at: clients.all[index].host)
    }

    /// A client makes a request; returns the number of the call.
    @discardableResult
    func call(_ request: Request, by client: Int, at host: Int) -> UInt64 {
        guard let body = RequestEncoder.body(of: request, call: UInt64(clients.calls.count))
        else {
            // The door refuses it.
            let number = UInt64(clients.calls.count)
            clients.calls.append(
                Clients.Call(
                    client: client, host: host, at: now, request: request,
                    outcome: .refused(at: now.nanoseconds)))
            next(client, after: Interval.milliseconds(1))
            return number
        }
        return send(body, for: request, by: client, at: host)
    }

    @discardableResult
    private func send(
        _ body: ClientRequest.Body, for request: Request?, by client: Int, at host: Int
    ) -> UInt64 {
        let call = UInt64(clients.calls.count)
        note("c\(client)→r\(host + 1): call \(call) \(request.map { brief($0) } ?? "compact")")
        clients.calls.append(
            Clients.Call(
                client: client, host: host, at: now, request: request, command: body.command,
                outcome: nil))
        clients.all[client].call = call
        meter.called(at: now)
        bodies[call] = body
        queue.push(.client(client, .arrive(call: call, host: host)), at: now + Self.clientDelay)
        if !clients.all[client].isProbe {
            queue.push(.client(client, .giveUp(call: call)), at: now + clients.workload.patience)
        }
        return call
    }

    private func brief(_ request: Request) -> String {
        let text = "\(request)"
        return text.count > 100 ? String(text.prefix(100)) + "…" : text
    }

    private func reaches(_ client: Int, _ host: Int) -> Bool {
        clients.all[client].cutOff & (1 << UInt16(host)) == 0
    }

    private func arrived(_ call: UInt64, at host: Host) {
        let client = clients.calls[Int(call)].client
        guard var body = bodies.removeValue(forKey: call) else { return }
        guard reaches(client, host.index) else { return tally.fired(.n12) }
        guard host.isUp else { return reply(.unreachable, to: call) }
        if plan.options.sabotage == .readsLocally, case .range(let request, _) = body {
            body = .range(request: request, nil)
        }
        let token = RequestToken(sink: 0, call: call)
        guard post(.requested([ClientRequest(token: token, body: body)]), to: host) else {
            tally.fired(.p8)
            return reply(.content(.failure(.tooManyRequests)), to: call)
        }
        host.openCalls.insert(call)
    }

    /// A replica answers.
    func deliver(_ answer: Answer, from host: Host) {
        let call = answer.token.call
        if plan.options.sabotage == .losesAnswers, call % 10 == 7 { return }
        if plan.options.sabotage == .fallsSilent, meter.answered >= 100 { return }
        if plan.options.sabotage == .deniesWrites, call % 10 == 7 {
            host.openCalls.remove(call)
            return reply(.content(.failure(.tooManyRequests)), to: call)
        }
        guard host.openCalls.remove(call) != nil else {
            return fail(.safety, "I12", "\(host.name) answered call \(call) twice")
        }
        reply(.content(answer.content), to: call)
        if plan.options.sabotage == .answersTwice, call % 10 == 7 { deliver(answer, from: host) }
    }

    private func reply(_ reply: Reply, to call: UInt64) {
        let client = clients.calls[Int(call)].client
        guard reaches(client, clients.calls[Int(call)].host) else { return tally.fired(.n12) }
        queue.push(.client(client, .answer(call: call, reply)), at: now + Self.clientDelay)
    }

    /// A process has ended, and with it the connections of its clients.
    func breakCalls(of host: Host) {
        for call in host.openCalls.sorted() { reply(.broken, to: call) }
        host.openCalls.removeAll()
    }

    private func answered(_ call: UInt64, _ reply: Reply, _ client: Int) {
        guard clients.calls[Int(call)].outcome == nil else { return }
        let at = now.nanoseconds
        switch reply {
        case .unreachable: finish(call, .refused(at: at), client)
        case .broken: finish(call, .unknown, client)
        case .content(.message(let bytes)):
            guard let request = clients.calls[Int(call)].request else {
                return finish(call, .refused(at: at), client)
            }
            do throws(MalformedBytes) {
                let response = try ResponseReader.response(bytes, to: request)
                note("c\(client): call \(call) is answered at revision \(response.revision)")
                finish(call, .answered(at: at, response), client)
            } catch {
                fail(.safety, "I12", "call \(call) was answered with rubbish: \(error.reason)")
            }
        case .content(.failure(let failure)):
            note("c\(client): call \(call) fails: \(failure.message)")
            // Only a timeout leaves open what became of it.
            finish(call, failure == .timedOut ? .unknown : .refused(at: at), client)
        case .content: finish(call, .refused(at: at), client)
        }
    }

    private func finish(_ call: UInt64, _ outcome: Outcome, _ client: Int) {
        clients.calls[Int(call)].outcome = outcome
        meter.finished(clients.calls[Int(call)], outcome, at: now)
        guard clients.all[client].call == call else { return }
        clients.all[client].call = nil
        guard !clients.all[client].isProbe else { return }
        var wait = clients.all[client].chance.interval(below: clients.workload.thinking)
        if case .answered = outcome {} else { wait = failed(call, client, wait) }
        next(client, after: wait)
    }

    /// The client goes elsewhere.
    private func failed(_ call: UInt64, _ client: Int, _ wait: Interval) -> Interval {
        clients.all[client].host = clients.all[client].chance.index(hosts.count)
        if clients.workload.retriesElsewhere {
            clients.all[client].again = clients.calls[Int(call)].request
        }
        guard clients.workload.storms else { return wait }
        tally.fired(.w8)
        return .milliseconds(1)
    }

    func next(_ client: Int, after wait: Interval) {
        queue.push(.client(client, .act), at: now + wait)
    }
}

extension ClientRequest.Body {
    /// What is to be replicated.
    fileprivate var command: Bytes? {
        if case .write(let command, _, _, _) = self { command } else { nil }
    }
}
