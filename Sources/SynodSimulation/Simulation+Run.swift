import SynodBytes
import SynodCheck
import SynodPaxos

/// A run from its beginning to its verdict.
extension Simulation {
    package func execute() -> Report {
        begin()
        switch plan.options.profile {
        case .swarm, .amnesia, .powercut, .slowdisk, .revived: runFaults()
        case .brief: runBrief()
        case .duel: runDuel()
        case .partial: runPartial()
        case .stopped: runStopped()
        case .contention: runContention()
        case .mixed: runMixed()
        }
        let settledAfter = settle()
        if failure == nil { judgeHistory() }
        return report(settledAfter)
    }

    func begin() {
        for host in hosts {
            let wait = nemesis.draw(.p10) { $0.interval(below: .milliseconds(500)) }
            queue.push(.start(host: host.index, life: host.life), at: now + wait)
        }
        queue.push(.compare, at: now + .seconds(5))
    }

    /// Faults and clients for a while.
    private func runFaults() {
        beginFaults()
        beginClients()
        run(until: now + plan.span)
    }

    func beginClients() {
        for index in clients.all.indices {
            next(index, after: clients.all[index].chance.interval(below: clients.workload.thinking))
        }
    }

    /// What the clients saw must be explained by one order of what they did.
    private func judgeHistory() {
        let chosen = oracle.chosenCommands
        if let call = clients.callExecutedTwice(chosen) {
            return fail(.safety, "I12", "the command of call \(call) is in the log twice")
        }
        if let call = clients.callLost(chosen) {
            return fail(.safety, "I12", "call \(call) was answered and is not in the log")
        }
        if let call = clients.callDenied(reference.effective) {
            return fail(.safety, "I12", "call \(call) was refused and has changed something")
        }
        let history = clients.history(chosen: chosen)
        let leeway = Leeway(skipped: reference.skipped, allowsLateHeaders: true)
        let verdicts = [
            (
                "order of revisions",
                RevisionOrderCheck.judge(history, allowing: leeway, stepBudget: 5_000_000)
            ),
            ("order of each key", LinearizabilityCheck.judge(history, stepBudget: 5_000_000)),
        ]
        for (name, verdict) in verdicts {
            switch verdict {
            case .valid: break
            case .violation(let violation):
                fail(.safety, "I7", "the \(name) explains no history: \(violation)")
            case .undecided(let reason):
                // Nothing is proven by a history that nobody could judge.
                fail(.liveness, "I7", "the \(name) is not decided: \(reason)")
            }
        }
    }

    private func report(_ settledAfter: Interval) -> Report {
        var report = Report(
            options: plan.options, replicas: hosts.count,
            proposers: hosts.indices.map(plan.proposers(at:)))
        report.failure = failure
        report.digest = digest
        report.virtualTime = now.since(Instant(nanoseconds: 0))
        report.events = eventCount
        report.steps = meter.steps
        report.decisions = UInt64(oracle.chosenCount)
        report.answered = meter.answered
        report.refused = meter.refused
        report.unknown = meter.unknown
        report.worstLatency = meter.worstLatency
        report.settling = settledAfter
        report.faults = tally
        report.faults.add(links.tally)
        report.faults.add(clients.maker.tally)
        report.enabledFaults = plan.enabled
        report.figures = figures
        return report
    }
}
