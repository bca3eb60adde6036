import SynodPaxos

/// Judges a state of the whole cluster, which no single replica sees.
struct Judge {
    let ledger: Ledger
    let quorum: Int

    /// What the replicas at these positions have done together.
    func check(_ hosts: [Host]) throws(Violation) {
        var votes: Marks = 0
        for host in hosts { votes |= host.votes | host.proposed }
        try checkBallots(votes)
        try checkAgreement(chosen(hosts))
    }

    /// What a quorum of disks has accepted at one ballot, ever.
    func chosen(_ hosts: [Host]) -> Marks {
        var facts: Marks = 0
        var candidates: Marks = 0
        for host in hosts { candidates |= host.votes }
        forEachMark(candidates) { vote in
            if isQuorum(of: vote, hosts, { $0.votes & (1 << Marks(vote)) != 0 }) {
                facts |= 1 << Marks(ledger.factOfVote[vote])
            }
        }
        return facts
    }

    /// Whether those who are in are enough to choose. Of what another replica than the leader of the
    /// ballot has proposed, in a slot that was granted to it, no quorum is without the leader.
    private func isQuorum(of vote: Int, _ hosts: [Host], _ isIn: (Host) -> Bool) -> Bool {
        guard hosts.count(where: isIn) >= quorum else { return false }
        let leader = Int(ledger.vote(vote).ballot.replica.rawValue) - 1
        let isGranted = hosts.contains {
            $0.index != leader && $0.proposed & (1 << Marks(vote)) != 0
        }
        return !isGranted || isIn(hosts[leader])
    }

    private func checkBallots(_ votes: Marks) throws(Violation) {
        var rivals: (Int, Int)?
        forEachMark(votes) { vote in
            let others = ledger.rivals[vote] & votes
            if others != 0 { rivals = (vote, others.trailingZeroBitCount) }
        }
        guard let rivals else { return }
        let vote = ledger.vote(rivals.0)
        throw Violation(
            .ballotUniqueness,
            "\(vote.ballot.text) proposes two entries in slot \(vote.slot.rawValue): "
                + "\(vote.entry.text) and \(ledger.vote(rivals.1).entry.text)")
    }

    private func checkAgreement(_ facts: Marks) throws(Violation) {
        var same: (Int, Int)?
        var repeated: (Int, Int)?
        forEachMark(facts) { fact in
            let exclusions = ledger.exclusions[fact]
            let others = exclusions.same & facts
            if others != 0 { same = (fact, others.trailingZeroBitCount) }
            let others2 = exclusions.repeated & facts
            if others2 != 0 { repeated = (fact, others2.trailingZeroBitCount) }
        }
        if let same {
            let one = ledger.fact(same.0)
            throw Violation(
                .agreement,
                "slot \(one.slot.rawValue) holds \(one.entry.text) and "
                    + ledger.fact(same.1).entry.text)
        }
        if let repeated {
            let (one, other) = (ledger.fact(repeated.0), ledger.fact(repeated.1))
            throw Violation(
                .duplicate,
                "slots \(one.slot.rawValue) and \(other.slot.rawValue) hold \(one.entry.text) and "
                    + other.entry.text)
        }
    }

    /// What a replica has just taken for chosen.
    func checkLearned(_ learned: Marks, by index: Int, _ hosts: [Host]) throws(Violation) {
        let wrong = learned & ~chosen(hosts)
        guard wrong != 0 else { return }
        let fact = ledger.fact(wrong.trailingZeroBitCount)
        throw Violation(
            .learning,
            "replica \(index + 1) takes \(fact.entry.text) in slot \(fact.slot.rawValue), "
                + "which no quorum has on disk")
    }

    /// P2c, as its proof uses it: no quorum has chosen or can still choose another entry below the
    /// ballot of a proposal.
    func checkProposals(_ hosts: [Host]) throws(Violation) {
        var others: Marks = 0
        var proposals: Marks = 0
        for host in hosts {
            others |= host.votes | host.proposed
            proposals |= host.proposed
        }
        var conflict: (Vote, Vote)?
        forEachMark(proposals) { number in
            let proposal = ledger.vote(number)
            forEachMark(others) { other in
                let earlier = ledger.vote(other)
                if earlier.slot == proposal.slot, earlier.ballot < proposal.ballot,
                    earlier.entry != proposal.entry, canBeChosen(other, earlier.ballot, hosts)
                {
                    conflict = (proposal, earlier)
                }
            }
        }
        guard let (proposal, earlier) = conflict else { return }
        throw Violation(
            .safeProposal,
            "\(proposal.ballot.text) proposes \(proposal.entry.text) in slot "
                + "\(proposal.slot.rawValue), where \(earlier.ballot.text) may have "
                + "\(earlier.entry.text) chosen")
    }

    /// Whether a quorum accepted it or may still do so: who has promised a higher ballot never will, nor
    /// who has accepted something in the slot at a higher one, as at the second attempt of the same.
    private func canBeChosen(_ vote: Int, _ ballot: Ballot, _ hosts: [Host]) -> Bool {
        isQuorum(of: vote, hosts) { host in
            host.votes & (1 << Marks(vote)) != 0
                || host.disk.durable.promised <= ballot && host.votes & ledger.later[vote] == 0
        }
    }
}
