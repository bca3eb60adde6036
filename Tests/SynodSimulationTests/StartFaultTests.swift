import SynodSimulation
import Testing

/// What befalls processes that start, and what is left of them, as the transcripts tell.
struct StartFaultTests {
    private static let kept: [FaultID] = [
        .p1, .p2, .p10, .d1, .d3, .d4, .d6, .d7, .d8, .d11,
    ]

    /// The transcripts of some runs with faults of disks and processes only.
    private static let transcripts: [[String]] = (1...60 as ClosedRange<UInt64>).map { seed in
        var options = RunOptions(seed: seed)
        options.replicas = seed % 2 == 0 ? 3 : 5
        options.without = FaultID.allCases.filter { !kept.contains($0) }
        var lines: [String] = []
        let report = Simulation(options) { lines.append(String($0.drop { $0 != " " }.dropFirst())) }
            .execute()
        if let failure = report.failure { Issue.record("\(options.command): \(failure.message)") }
        return lines
    }

    /// What a replica that could not start for this reason did next, each time.
    private func sequels(of reason: String) -> [String] {
        Self.transcripts.flatMap { lines in
            lines.indices.compactMap { index -> String? in
                let words = lines[index].split(separator: " ")
                guard lines[index].contains("cannot start: "), lines[index].contains(reason),
                    let name = words.first
                else { return nil }
                let sequels = ["\(name) starts", "\(name) stops", "\(name) cannot start"]
                return lines[(index + 1)...].lazy
                    .compactMap { line in sequels.first(where: line.hasPrefix) }.first
                    .map { String($0.dropFirst(name.count + 1)) }
            }
        }
    }

    @Test(arguments: ["the disk cannot be read", "the sync failed"])
    func aDiskThatFailsOnceLetsTheNextStartSucceed(reason: String) {
        let sequels = sequels(of: reason)
        #expect(sequels.contains("starts"))
        #expect(!sequels.contains("stops"))
    }

    /// As long as there is no room, every start is in vain.
    @Test func aFullDiskStaysFull() {
        let sequels = sequels(of: "No space left")
        #expect(sequels.contains("cannot start"))
        #expect(sequels.contains("starts"))
    }

    /// In the log it is the end; a state that nobody can read is removed, and then it starts.
    @Test func aDamagedBlockIsFoundByWhoeverReadsIt() {
        let sequels = sequels(of: "A block does not match its checksum")
        #expect(sequels.contains("stops"))
        #expect(sequels.contains("starts"))
    }

    /// By the words of the code that the server runs.
    @Test(arguments: ["belongs to member", "had acknowledged"])
    func whatIsRefusedForGoodNeverStarts(reason: String) {
        #expect(Set(sequels(of: reason)) == ["stops"])
    }

    /// Rare among all effects, so that it takes some runs of everything until both have been hit.
    @Test func crashesComeBehindFlushesAndRemovalsToo() {
        var isSeen = (flush: false, removal: false)
        for seed in 1...200 as ClosedRange<UInt64> where !(isSeen.flush && isSeen.removal) {
            _ = Simulation(RunOptions(seed: seed)) { line in
                if line.hasSuffix("was flushing its state") { isSeen.flush = true }
                if line.hasSuffix("had removed states") { isSeen.removal = true }
            }.execute()
        }
        #expect(isSeen == (true, true))
    }

    /// A damaged state that is out of use does not keep other disks from being damaged for ever.
    @Test func aRemovedStateLeavesASoundDisk() {
        #expect(Self.transcripts.joined().contains { $0.hasSuffix("disk is sound again") })
    }
}
