import SynodBytes
import SynodCheck
import SynodNode
import SynodPaxos

/// The run of the `stopped` profile: a proposer stops for good, with slots granted to it, and nobody
/// is told. Clients of the others write keys of their own, read them, one by one and all at once, and
/// write the keys that the stopped one's clients were about to write. The same is measured where
/// commands are executed in the order of slots.
///
/// The clients of every fourth seed are quiet: slots are left, so that the leader takes its time to
/// abandon those of the stopped one.
extension Simulation {
    private var isQuiet: Bool { plan.options.seed.isMultiple(of: 4) }
    /// Quiet ones are measured for longer, or their slowest request would be a matter of luck.
    private var span: Interval { .milliseconds(isQuiet ? 5000 : 700) }
    private var thinking: Interval { .milliseconds(isQuiet ? 200 : 4) }

    /// What a kind of client does, and how long its requests took at worst.
    private struct Experience {
        var undisturbed = Interval(nanoseconds: 0)
        var disturbed = Interval(nanoseconds: 0)

        /// By how much the stop made the worst worse.
        var delay: Interval {
            Interval(
                nanoseconds: disturbed.nanoseconds - min(disturbed, undisturbed).nanoseconds)
        }
    }

    private enum Kind: CaseIterable {
        case otherWrite, otherRead, otherRange, itsWrite

        /// Whether the stopped one is not about to write what it touches.
        var isOther: Bool { self != .itsWrite }
    }

    private struct Probe {
        let client: Int
        let host: Int
        let kind: Kind
        let key: Bytes
        var call: UInt64?
        /// When it asks next.
        var nextAt = Instant(nanoseconds: 0)
    }

    func runStopped() {
        guard let byKey = measureStop() else { return }
        let pace = plan.link.delay * 4 + plan.disk.syncTime
        figures = [Figure("two round trips and a sync", times: [pace], .min, .max)]
        figures += figures(of: byKey, "")
        guard plan.options.executesByKey else { return }
        if let late = Kind.allCases.filter(\.isOther).map({ byKey[$0]!.delay }).max(), late > pace {
            fail(
                .liveness, "I10",
                "a stopped proposer delays what does not concern it by \(late.text)")
        }
        let delay = byKey[.itsWrite]!.delay
        if delay > plan.timing.suspicion + pace {
            fail(.liveness, "I10", "the keys of a stopped proposer wait for \(delay.text)")
        }
        var options = plan.options
        options.executesByKey = false
        let other = Simulation(options, isInterrupted: isInterrupted)
        other.begin()
        guard let bySlot = other.measureStop() else { return }
        figures += figures(of: bySlot, ", by slot")
    }

    private func figures(of experience: [Kind: Experience], _ suffix: String) -> [Figure] {
        let suffix = isQuiet ? ", quiet\(suffix)" : suffix
        let names: [(Kind, String)] = [
            (.otherWrite, "writes of other keys"), (.otherRead, "reads of other keys"),
            (.otherRange, "reads of other ranges"), (.itsWrite, "writes of its keys"),
        ]
        return names.flatMap { kind, name in
            let times = experience[kind]!
            return [
                Figure("\(name)\(suffix)", times: [times.undisturbed], .p50, .max),
                Figure("\(name)\(suffix), after the stop", times: [times.disturbed], .p50, .max),
            ]
        }
    }

    /// Nil if something went wrong.
    private func measureStop() -> [Kind: Experience]? {
        run(until: now + .seconds(3))
        guard failure == nil, let leader = commonLeader.flatMap({ index(of: $0) }) else {
            fail(.liveness, "I10", "no leader after three seconds")
            return nil
        }
        let victim = (leader + 1) % hosts.count
        var probes = makeProbes(around: victim)
        var experience = Dictionary(
            uniqueKeysWithValues: Kind.allCases.map { ($0, Experience()) })
        work(&probes, until: now + span, alsoAt: victim) { kind, latency in
            experience[kind]!.undisturbed = max(experience[kind]!.undisturbed, latency)
        }
        stopsOnGrant = victim
        work(&probes, until: now + span, alsoAt: victim) { kind, latency in
            // What the stopped one had under way counts in no kind.
            experience[kind]!.disturbed = max(experience[kind]!.disturbed, latency)
        }
        guard failure == nil else { return nil }
        if stopsOnGrant != nil { fail(.liveness, "I10", "nobody was granted a slot") }
        for probe in probes where clients.all[probe.client].call != nil {
            guard let call = probe.call, probe.host != victim else { continue }
            let waited = now.since(clients.calls[Int(call)].at)
            experience[probe.kind]!.disturbed = max(experience[probe.kind]!.disturbed, waited)
        }
        resume(hosts[victim])
        return failure == nil ? experience : nil
    }

    private func makeProbes(around victim: Int) -> [Probe] {
        var probes: [Probe] = []
        func add(_ host: Int, _ kind: Kind, _ key: String) {
            probes.append(
                Probe(
                    client: clients.addProbe(at: host), host: host, kind: kind,
                    key: Bytes(key.utf8)))
        }
        for host in hosts.indices where host != victim {
            add(host, .otherWrite, "own/\(host)")
            add(host, .otherRead, "own/\((host + 1) % hosts.count)")
            add(host, .otherRange, "own/")
            add(host, .itsWrite, "its/\(host % 4)")
        }
        for number in 0..<4 { add(victim, .itsWrite, "its/\(number)") }
        return probes
    }

    /// Every probe asks again soon after it was answered, each in its own time: what comes in step
    /// shares entries, and what falls out of step does not.
    private func work(
        _ probes: inout [Probe], until end: Instant, alsoAt victim: Int,
        _ answered: (Kind, Interval) -> Void
    ) {
        while now < end, failure == nil {
            for index in probes.indices {
                if let call = probes[index].call {
                    guard case .answered(let at, _) = clients.calls[Int(call)].outcome else {
                        continue
                    }
                    let latency = Instant(nanoseconds: at).since(clients.calls[Int(call)].at)
                    if probes[index].host != victim { answered(probes[index].kind, latency) }
                    probes[index].call = nil
                    probes[index].nextAt =
                        now + nemesis.draw(.w4) { $0.interval(below: thinking) }
                }
                guard now >= probes[index].nextAt else { continue }
                probes[index].call = call(
                    request(of: probes[index]), by: probes[index].client,
                    at: probes[index].host)
            }
            run(until: now + .microseconds(100))
        }
    }

    private func request(of probe: Probe) -> Request {
        switch probe.kind {
        case .otherRead: .range(SynodCheck.KeyRange(key: probe.key), isSerializable: false)
        case .otherRange:
            // The character behind a slash is a zero.
            .range(
                SynodCheck.KeyRange(lower: probe.key, upper: Bytes("own0".utf8)),
                isSerializable: false)
        case .otherWrite, .itsWrite:
            .put(
                key: probe.key, value: Bytes("v\(clients.calls.count)".utf8), wantsPrevious: false)
        }
    }
}
