import Logging
import NIOCore
import Synchronization
import SynodBytes
import SynodNode
import SynodPaxos

#if canImport(Glibc)
    @preconcurrency import Glibc
#elseif canImport(Musl)
    @preconcurrency import Musl
#else
    @preconcurrency import Darwin
#endif

/// Stands between the peers and the replica and makes the replica fail as often as the plan says:
/// for people who want to see what a cluster makes of it. There is none unless the command line
/// asks for one.
///
/// Its faults are what a replica can suffer anyway, lost and late messages and the death of its
/// process, so that nothing here can break a promise.
package final class FaultInjector: Sendable {
    /// How the process ends when a crash is injected, so that whoever started it can tell.
    package static let crashCode: Int32 = 86

    /// What is to be done to a reply that has not come yet.
    private struct Ambush {
        let peer: ReplicaID
        let isReply: @Sendable (Message) -> Bool
        let fault: InjectedFault
    }

    private struct State {
        var chance: PRNG
        var ambushes: [Ambush] = []
        /// The process is about to die: nothing arrives any more.
        var isDeaf = false
        /// Nor does anything leave.
        var isMute = false
    }

    /// How long a process that is to die has for the messages that came before the fatal one: what
    /// they write becomes durable, and their replies leave.
    private static let lastWords = TimeAmount.milliseconds(20)
    /// How long a reply that is to be the death of the process may take.
    private static let longestWait = TimeAmount.milliseconds(500)
    /// Replies that may never come are not waited for without bound.
    private static let mostAmbushes = 256

    private let plan: FaultPlan
    private let electionMilliseconds: Int64
    private let eventLoop: any EventLoop
    private let wipe: StateWipe
    private let logger: Logger
    private let state: Mutex<State>

    init(
        _ plan: FaultPlan, boot: UInt64, on eventLoop: any EventLoop,
        _ configuration: ServerConfiguration, _ logger: Logger
    ) {
        self.plan = plan
        electionMilliseconds = Int64(configuration.electionMilliseconds)
        self.eventLoop = eventLoop
        wipe = StateWipe(configuration)
        self.logger = logger
        logger.warning(
            "THIS REPLICA FAILS ON PURPOSE, because it was started with --inject-faults",
            metadata: [
                "acceptor-ppm": "\(plan.acceptorPerMillion)",
                "learner-ppm": "\(plan.learnerPerMillion)", "seed": "\(plan.seed)",
            ])
        // Otherwise every start would end at the same message.
        state = Mutex(State(chance: PRNG(seed: plan.seed ^ mix64(boot))))
    }

    /// Hands the replica those messages that it gets, now or later.
    ///
    /// Messages come in batches, and a batch is one step of the replica, with one write and one
    /// reply for many. One that goes wrong has a step of its own, so that it takes no other with it.
    func arriving(
        _ messages: [Bytes], from peer: ReplicaID, deliver: @escaping @Sendable ([Bytes]) -> Void
    ) {
        guard !state.withLock({ $0.isDeaf }) else { return }
        var steps: [[Bytes]] = [[]]
        for encoded in messages {
            guard let message = try? Message(encoded: encoded), let target = FaultTarget(message),
                let fault = draw(target)
            else {
                steps[steps.count - 1].append(encoded)
                continue
            }
            switch fault {
            case .requestDropped: tell(fault)
            case .crashBefore, .stateWiped: die(of: fault, within: Self.lastWords)
            case .replyDropped, .crashAfter, .stall:
                guard let isReply = target.isReply else {
                    postpone { deliver([encoded]) }
                    continue
                }
                lieInWait(Ambush(peer: peer, isReply: isReply, fault: fault))
                steps += [[encoded], []]
                if fault == .crashAfter { die(of: fault, within: Self.longestWait) }
            }
            if fault.isFatal { break }
        }
        for (number, step) in steps.enumerated() where !step.isEmpty {
            if number == 0 { deliver(step) } else { eventLoop.execute { deliver(step) } }
        }
    }

    /// Sends those messages that leave, now or later.
    func leaving(
        _ messages: [Bytes], to peer: ReplicaID, send: @escaping @Sendable ([Bytes]) -> Void
    ) {
        guard !state.withLock({ $0.isMute }) else { return }
        var now: [Bytes] = []
        for encoded in messages {
            guard let fault = ambush(encoded, to: peer) else {
                now.append(encoded)
                continue
            }
            if fault == .crashAfter {
                state.withLock { $0.isMute = true }
                die(of: fault, within: Self.lastWords)
                break
            }
            if fault == .stall { postpone { send([encoded]) } } else { tell(fault) }
        }
        send(now)
    }

    // MARK: The faults

    private func draw(_ target: FaultTarget) -> InjectedFault? {
        let share =
            switch target.role {
            case .acceptor: plan.acceptorPerMillion
            case .learner: plan.learnerPerMillion
            }
        return state.withLock { state in
            guard state.chance.chance(share, in: 1_000_000) else { return nil }
            let faults = target.faults
            return faults[Int(state.chance.below(UInt64(faults.count)))]
        }
    }

    private func lieInWait(_ ambush: Ambush) {
        state.withLock { state in
            guard state.ambushes.count < Self.mostAmbushes else { return }
            state.ambushes.append(ambush)
        }
    }

    private func ambush(_ encoded: Bytes, to peer: ReplicaID) -> InjectedFault? {
        state.withLock { state in
            guard state.ambushes.contains(where: { $0.peer == peer }),
                let message = try? Message(encoded: encoded),
                let index = state.ambushes.firstIndex(where: {
                    $0.peer == peer && $0.isReply(message)
                })
            else { return nil }
            return state.ambushes.remove(at: index).fault
        }
    }

    private func postpone(_ action: @escaping @Sendable () -> Void) {
        let span = state.withLock {
            $0.chance.within(electionMilliseconds...5 * electionMilliseconds)
        }
        logger.warning(
            "injects a fault",
            metadata: ["kind": "\(InjectedFault.stall.rawValue)", "ms": "\(span)"])
        eventLoop.scheduleTask(in: .milliseconds(span), action)
    }

    /// Ends the process as a crash would: nothing is flushed, closed or said to anybody. Until
    /// then it hears nothing more.
    private func die(of fault: InjectedFault, within span: TimeAmount) {
        state.withLock { $0.isDeaf = true }
        eventLoop.scheduleTask(in: span) { [self] in
            if fault == .stateWiped { wipe.request() }
            tell(fault)
            _exit(Self.crashCode)
        }
    }

    private func tell(_ fault: InjectedFault) {
        logger.warning("injects a fault", metadata: ["kind": "\(fault.rawValue)"])
    }
}
