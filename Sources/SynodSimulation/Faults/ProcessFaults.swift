import SynodBytes
import SynodNode
import SynodPaxos

/// Faults of processes.
extension Simulation {
    func crashOne() {
        let host = victim(.p1)
        guard host.isUp else { return }
        tally.fired(.p1)
        crash(host, restartAfter: nemesis.outage())
    }

    /// The replica dies after a few more effects, wherever that is.
    func placeCrashPoint() {
        let host = victim(.p2)
        guard host.isUp else { return }
        host.crashAfterEffects = nemesis.draw(.p2) { $0.index(8) }
        host.crashFault = .p2
    }

    /// The replica dies behind the present effect, once in so many: among the effects of all steps those on
    /// states are so rare that points placed at random never hit them.
    func placeCrashPoint(in host: Host, once count: UInt64) {
        guard plan.isEnabled(.p2), !nemesis.isStopped,
            nemesis.drawAside({ $0.chance(1, in: count) })
        else { return }
        host.crashAfterEffects = 0
        host.crashFault = .p2
    }

    /// A minority, a quorum or all at once, as when the power fails: nobody is told.
    func crashMany() {
        let all = nemesis.draw(.p3) { $0.shuffled(hosts) }
        let count = nemesis.draw(.p3) {
            $0.pick([hosts.count, membership.majority, hosts.count - membership.majority])
        }
        for host in all.prefix(count) where host.isUp {
            tally.fired(.p3)
            crash(host, restartAfter: nemesis.outage(), tellsPeers: false)
        }
    }

    func pauseOne() {
        let host = victim(.p4)
        guard host.isUp, !host.isPaused else { return }
        tally.fired(.p4)
        let span = nemesis.draw(.p4) { chance in
            let longest = plan.timing.election * chance.pick([1, 3, 10, 100])
            return chance.interval(below: min(longest, .seconds(60)))
        }
        pause(host, for: span)
    }

    /// Dies while it is being sent a state, if any replica is.
    func crashInTransfer() {
        guard let host = hosts.first(where: { $0.glance?.isReceiving == true })
        else { return }
        tally.fired(.p5)
        crash(host, restartAfter: nemesis.outage())
    }

    /// The process is short of processor time: what it was to do comes late.
    func delayTimers() {
        let host = victim(.p7)
        guard host.isUp else { return }
        tally.fired(.p7)
        host.timerDelay = nemesis.draw(.p7) { $0.interval(.seconds(1), .seconds(10)) }
        let span = nemesis.draw(.p7) { $0.interval(.seconds(1), .seconds(20)) }
        push(.punctual(host: host.index), after: span)
    }

    func makePunctual(_ host: Host) {
        guard mayRecover(host) else { return }
        host.timerDelay = Interval(nanoseconds: 0)
    }

    // MARK: Clocks

    /// Clocks run fast or slow for the whole run.
    func setDrift() {
        for host in hosts {
            let off = nemesis.draw(.c1) { chance -> Int64 in
                let most: Int64 = chance.chance(1, in: 2) ? 500 : 100_000
                return chance.within(-most...most)
            }
            host.clock.setRate(UInt64(1_000_000 + off), at: now)
            tally.fired(.c1)
        }
    }

    func stepClock() {
        let host = victim(.c2)
        guard host.asleepAt == nil else { return }
        let step = nemesis.draw(.c2) { chance -> Interval in
            chance.chance(1, in: 2)
                ? chance.interval(.milliseconds(4), .milliseconds(500))
                : chance.interval(.seconds(1), .seconds(288))
        }
        note("\(host.name)'s clock jumps by \(step.text)")
        host.clock.jump(step, at: now)
        rescheduleTimer(of: host)
        tally.fired(.c2)
    }

    /// The clock alternates between fast and slow.
    func beginStrobe(_ fault: FaultID) {
        let (step, left) = nemesis.draw(fault) { chance in
            fault == .c3
                ? (chance.interval(.milliseconds(10), .seconds(1)), 4 + chance.index(60))
                : (chance.interval(.seconds(1), .seconds(3)), 4 + chance.index(12))
        }
        strobe(victim(fault), left: left, step: step, fault)
    }

    func strobe(_ host: Host, left: Int, step: Interval, _ fault: FaultID) {
        guard host.asleepAt == nil, mayRecover(host) else { return }
        tally.fired(fault)
        guard left > 0, !nemesis.isStopped else {
            host.clock.setRate(1_000_000, at: now)
            return rescheduleTimer(of: host)
        }
        // A strobe flips between extremes; an uneven clock swings through rates near the truth.
        let swing: [UInt64] = [
            1_000_000, 1_070_000, 1_100_000, 1_070_000, 1_000_000, 930_000, 900_000, 930_000,
        ]
        let rate: UInt64 = fault == .c3 ? (left % 2 == 0 ? 4_000_000 : 250_000) : swing[left % 8]
        host.clock.setRate(rate, at: now)
        rescheduleTimer(of: host)
        push(.strobe(host: host.index, left: left - 1, step: step, fault: fault), after: step)
    }

    /// The machine sleeps, and its clock with it.
    func suspend() {
        let host = victim(.c5)
        guard host.isUp, !host.isPaused else { return }
        tally.fired(.c5)
        host.asleepAt = host.clock.own(at: now)
        pause(host, for: nemesis.draw(.c5) { $0.interval(.milliseconds(100), .seconds(30)) })
    }

    /// The machine is awake, and its clock goes on from where it stood.
    func wakeUp(_ host: Host) {
        guard let shown = host.asleepAt else { return }
        host.asleepAt = nil
        host.clock.goOn(from: shown, at: now)
        rescheduleTimer(of: host)
    }
}
