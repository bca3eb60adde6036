import SynodBytes
import SynodKeyspace
import SynodNode
import SynodPaxos
import SynodStorage

/// What is checked at every step, and when.
extension Simulation {
    /// After a step, before anything of it leaves the replica.
    func check(
        _ host: Host, after before: Host.SimulatedNode.Glance, executing learned: [Learned]
    ) {
        guard let glance = host.glance else { return }
        oracle.learned(learned, by: host.index)
        if host.disk.lostState != nil, !glance.lacksState, host.disk.hasStateBack() {
            oracle.stateIsBack(at: host.index)
        }
        oracle.applied(
            host.index, from: before.appliedThrough, through: glance.appliedThrough,
            revision: glance.revision)
        if before.isReceiving, !glance.isReceiving { compareStates(of: [host]) }
        if glance.promised < before.promised {
            oracle.object("I2", "\(host.name) forgot its promise of \(before.promised.text)")
        }
        passOn()
    }

    /// What the oracle objects to ends the run.
    private func passOn() {
        guard let objection = oracle.objection else { return }
        fail(.safety, objection.invariant, objection.message)
    }

    /// Messages leave a replica on an open stream. What a replica says that nobody accepts is of no
    /// account.
    func judge(_ messages: [Bytes], leaving host: Host, for peer: Int) {
        for encoded in messages {
            let isAttempt = meter.attempts != nil && encoded.first == MessageTag.forward
            guard isAttempt || MessageTag.isJudged(encoded.first),
                let glance = host.glance, let message = decoded(encoded)
            else { continue }
            meter.attempts?.sent(message, by: host.id, at: now) { oracle.isChosen($0) }
            guard !isAttempt else { continue }
            oracle.sent(
                message, by: host.index, to: peer, learnedThrough: glance.chosenThrough)
            if case .accept(_, let slot, let entry) = message, !entry.isNoop {
                meter.proposed(slot, at: now)
            }
        }
        passOn()
    }

    /// A message that a replica sends, read once for all peers that it goes to.
    private func decoded(_ encoded: Bytes) -> Message? {
        if let known = lastJudged, known.encoded == encoded { return known.message }
        guard let message = try? Message(encoded: encoded) else { return nil }
        lastJudged = (encoded, message)
        return message
    }

    /// A batch is on the disk.
    func becameDurable(_ batch: WriteBatch, at host: Host) {
        batch.forEach { operation in
            guard case .put(let key, let value) = operation else { return }
            do throws(MalformedBytes) {
                let record = try LogSchema.record(key: Bytes(key), value: Bytes(value))
                oracle.becameDurable(record, at: host.index)
            } catch {
                oracle.object("I5", "\(host.name) wrote a record that cannot be read")
            }
        }
        passOn()
    }

    /// Each of these replicas has come to what the chosen entries through its position come to.
    func compareStates(of hosts: [Host]) {
        for host in hosts {
            guard let node = host.node, let glance = host.glance,
                let hash = node.stateStore.unnoticed({ try? node.stateHash() })
            else { continue }
            let expected = reference.hash(through: glance.appliedThrough, chosen: oracle.chosen)
            if let slot = reference.unjustified {
                return fail(
                    .safety, "I6",
                    "slot \(slot.rawValue) leaves out revisions, and none before it came to nothing"
                )
            }
            guard hash != expected else { continue }
            return fail(
                .safety, "I6",
                "\(host.name) has not come to what is chosen through slot "
                    + "\(glance.appliedThrough.rawValue), at revision \(glance.revision)")
        }
    }
}
