import SynodBytes
import SynodPaxos
import SynodStorage

/// Faults of disks that strike while a process starts: when it opens its log, reads what it promised,
/// records its start, opens its state and executes what the log has beyond it.
extension Simulation {
    func strikeStart(of host: Host) {
        guard plan.strikesStarts, !nemesis.isStopped, host.disk.owner == host.id,
            let fault = nemesis.faultOfStart()
        else { return }
        let state = host.disk.newestState.map { host.disk.store(of: .state($0)) }
        let log = host.disk.log
        let isLogStruck = nemesis.drawAside { $0.chance(1, in: 2) }
        let struck = isLogStruck ? log : state ?? log
        switch fault {
        case .d3:
            let number = nemesis.drawAside { 1 + $0.below(isLogStruck ? 24 : 64) }
            struck.fail(
                .read, at: struck.count(of: .read) + number, with: Self.failedRead)
        case .d4:
            guard oracle.atlas.allows(host.index) else { return }
            rot(struck, at: host)
        case .d6:
            // Nothing but the record of the start is synced.
            log.fail(.sync, at: log.count(of: .sync) + 1, with: Self.failedSync)
        case .d8:
            // Some of it may still fit.
            let room = nemesis.drawAside { $0.index(isLogStruck ? 48 : 4096) }
            struck.capacity = Int(struck.approximateSize) + room
            let span = nemesis.drawAside { $0.interval(.milliseconds(100), .seconds(10)) }
            push(.spaceBack(host: host.index), after: span)
        default: break
        }
    }
}
