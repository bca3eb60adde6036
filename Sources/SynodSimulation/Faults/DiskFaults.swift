import SynodBytes
import SynodNode
import SynodPaxos
import SynodStorage

/// Faults of disks. What a replica's own checksums find, and what cannot be repaired, is bounded
/// by the atlas.
extension Simulation {
    /// The store of a disk that a fault hits: the log or, in half of the cases where a run has it so,
    /// the newest state, be it one that is just being received.
    private func struck(by fault: FaultID, at host: Host) -> Disk.Part {
        guard plan.strikesStates, nemesis.draw(fault, { $0.chance(1, in: 2) }) else { return .log }
        return host.disk.newestState.map(Disk.Part.state) ?? .log
    }

    static let failedRead = StorageError(.io, "the disk cannot be read")
    static let failedSync = StorageError(.io, "the sync failed")

    private func failNext(
        _ operation: MemoryStore.Operation, of part: Disk.Part, at host: Host,
        with error: StorageError
    ) {
        let store = host.disk.store(of: part)
        store.fail(operation, at: store.count(of: operation) + 1, with: error)
    }

    func failRead() {
        let host = victim(.d3)
        guard host.isUp else { return }
        failNext(.read, of: struck(by: .d3, at: host), at: host, with: Self.failedRead)
    }

    /// A damaged block of the log or of a state, which a checksum tells whoever reads it from now on: the
    /// node, or the next start at the latest.
    func rot() {
        let host = victim(.d4)
        guard host.isUp, oracle.atlas.allows(host.index) else { return }
        rot(host.disk.store(of: struck(by: .d4, at: host)), at: host)
    }

    func rot(_ store: MemoryStore, at host: Host) {
        oracle.atlas.damage(host.index)
        var keys: [Bytes] = []
        store.unnoticed {
            try? store.scan(from: [], to: nil) { key, _ in
                keys.append(Bytes(key))
                return true
            }
        }
        store.damage(keys.isEmpty ? [] : nemesis.drawAside { $0.pick(keys) })
    }

    func failSync() {
        let host = victim(.d6)
        guard host.isUp else { return }
        failNext(.sync, of: struck(by: .d6, at: host), at: host, with: Self.failedSync)
    }

    /// From now on the disk says that it has synced and has not. That counts only if it crashes. Then
    /// the mark beside the log tells that the log is not complete, and a state that is older than
    /// where the log begins counts as lost.
    func lie() {
        let host = victim(.d7)
        guard host.isUp, oracle.atlas.allows(host.index) else { return }
        oracle.atlas.damage(host.index)
        note("\(host.name)'s disk begins to lie")
        host.disk.store(of: struck(by: .d7, at: host)).liesAboutSyncs = true
    }

    /// Room gets scarce, which the watch tells in time; or the disk is full at once.
    func fillDisk() {
        let host = victim(.d8)
        guard host.isUp else { return }
        tally.fired(.d8)
        if nemesis.draw(.d8, { $0.chance(1, in: 2) }) {
            note("\(host.name) is short of space")
            post(.spaceChanged(isLow: true), to: host)
        } else {
            note("\(host.name)'s disk is full")
            let store = host.disk.store(of: struck(by: .d8, at: host))
            store.capacity = Int(store.approximateSize)
        }
        let span = nemesis.draw(.d8) { $0.interval(.milliseconds(100), .seconds(10)) }
        push(.spaceBack(host: host.index), after: span)
    }

    func makeSpace(_ host: Host) {
        guard mayRecover(host) else { return }
        // Its disk may be in another machine just now.
        for holder in hosts where holder.disk.owner == host.id { holder.disk.makeSpace() }
        post(.spaceChanged(isLow: false), to: host)
    }

    /// The directory is gone: what starts there is another replica under the old name.
    func loseDisk() {
        let host = victim(.d10)
        guard host.isUp, oracle.atlas.allows(host.index), isKnownToAll(host, withBoot: false)
        else { return }
        tally.fired(.d10)
        if nemesis.draw(.d10, { $0.chance(1, in: 3) }) { return loseState(of: host) }
        note("\(host.name) loses its disk")
        replaceDisk(of: host, with: Disk(host.identity(incarnation: diskChance.next())))
    }

    /// The learner's state is gone and the acceptor's log is not. Where the log reaches back to the
    /// first slot it is replayed; otherwise a peer's state is fetched. Until then what the log no
    /// longer has is gone here, so that the atlas counts the disk as damaged.
    private func loseState(of host: Host) {
        note("\(host.name) loses its state")
        oracle.atlas.damage(host.index)
        crash(host, restartAfter: nemesis.outage())
        host.disk.forgetStates()
    }

    private func replaceDisk(of host: Host, with disk: Disk) {
        oracle.atlas.damage(host.index)
        crash(host, restartAfter: nemesis.outage())
        host.disk = disk
        oracle.replacedDisk(of: host.index, holding: disk.records)
    }

    /// Takes a copy of a disk, puts one back, or exchanges two.
    func restoreOrSwapDisks() {
        let host = victim(.d11)
        guard let node = host.glance else { return }
        if let copy = nemesis.copies[host.index], copy.boot < node.boot,
            oracle.atlas.allows(host.index), isKnownToAll(host, withBoot: true)
        {
            tally.fired(.d11)
            note("\(host.name) gets the disk back that it had in its \(copy.boot). start")
            return replaceDisk(of: host, with: copy.disk.durableCopy())
        }
        nemesis.copies[host.index] = (host.disk.durableCopy(), node.boot)
        let other = victim(.d11)
        guard nemesis.draw(.d11, { $0.chance(1, in: 4) }), other !== host, other.isUp else {
            return
        }
        tally.fired(.d11)
        note("\(host.name) and \(other.name) get each other's disks")
        for one in [host, other] { crash(one, restartAfter: .milliseconds(10)) }
        (host.disk, other.disk) = (other.disk, host.disk)
        push(
            .trueDisks(host.index, other.index),
            after: nemesis.draw(.d11) { $0.interval(.seconds(1), .seconds(10)) })
    }

    func swapBack(_ one: Host, _ other: Host) {
        guard one.disk.owner == other.id, other.disk.owner == one.id else { return }
        (one.disk, other.disk) = (other.disk, one.disk)
        for host in [one, other] {
            host.standing = .down
            host.life += 1
            queue.push(.start(host: host.index, life: host.life), at: now)
        }
    }
}
