import SynodBytes
import SynodPaxos

/// What an act of a fault began comes to its end.
enum FaultEnd {
    case unclog(from: Int, to: Int)
    case heal(number: Int)
    case reconnect(client: Int)
    case punctual(host: Int)
    case spaceBack(host: Int)
    case trueDisks(Int, Int)
    case confinement(number: Int)
    case curiosity(host: Int, key: Bytes)
    case deaths([Int])
    case strobe(host: Int, left: Int, step: Interval, fault: FaultID)
}

/// The acts of faults that come and go.
extension Simulation {
    static let actors: [FaultID] = [
        .n4, .n5, .n6, .n7, .n9, .n12, .n13, .p1, .p2, .p3, .p4, .p5, .p7, .d3, .d4, .d6, .d7, .d8,
        .d10, .d11, .c2, .c3, .c4, .c5,
    ]

    func beginFaults() {
        for fault in Self.actors where plan.isEnabled(fault) { scheduleAct(fault) }
        if plan.isEnabled(.p10) { tally.fired(.p10) }
        if plan.isEnabled(.n11) { slowDown() }
        if plan.isEnabled(.c1) { setDrift() }
    }

    private func scheduleAct(_ fault: FaultID) {
        let wait = nemesis.draw(fault) { $0.exponential(mean: plan.pace(of: fault)) }
        queue.push(.fault(fault), at: now + wait + .milliseconds(1))
    }

    func act(_ fault: FaultID) {
        guard !nemesis.isStopped else { return }
        scheduleAct(fault)
        switch fault {
        case .n4: clog()
        case .n5: partition()
        case .n6: cutOneWay()
        case .n7: cutToGraph()
        case .n9: resetStream()
        case .n12: cutClient()
        case .n13: sendStranger()
        case .p1: crashOne()
        case .p2: placeCrashPoint()
        case .p3: crashMany()
        case .p4: pauseOne()
        case .p5: crashInTransfer()
        case .p7: delayTimers()
        case .d3: failRead()
        case .d4: rot()
        case .d6: failSync()
        case .d7: lie()
        case .d8: fillDisk()
        case .d10: loseDisk()
        case .d11: restoreOrSwapDisks()
        case .c2: stepClock()
        case .c3: beginStrobe(.c3)
        case .c4: beginStrobe(.c4)
        case .c5: suspend()
        default: break
        }
    }

    func end(_ end: FaultEnd) {
        switch end {
        case .unclog(let from, let to): unclog(from, to)
        case .heal(let number): if cut.number == number { links.healCuts() }
        case .reconnect(let client): clients.all[client].cutOff = 0
        case .punctual(let host): makePunctual(hosts[host])
        case .spaceBack(let host): makeSpace(hosts[host])
        case .trueDisks(let one, let other): swapBack(hosts[one], hosts[other])
        case .confinement(let number): endConfinement(number)
        case .curiosity(let host, let key): read(key, at: host)
        case .deaths(let victims): die(victims)
        case .strobe(let host, let left, let step, let fault):
            strobe(hosts[host], left: left, step: step, fault)
        }
    }

    /// A replica drawn for a fault.
    func victim(_ fault: FaultID) -> Host { hosts[nemesis.draw(fault) { $0.index(hosts.count) }] }

    func push(_ end: FaultEnd, after span: Interval) { queue.push(.end(end), at: now + span) }
}
