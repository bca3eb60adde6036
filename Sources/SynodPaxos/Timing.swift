/// How long to wait for what. None of it matters for safety.
package struct Timing: Hashable, Sendable {
    /// The leader says that it lives this often.
    package let heartbeat: Interval
    /// A leader unheard for this long is suspected; see also `suspicionSpread`.
    package let suspicion: Interval
    /// Each replica adds a random part of this, so that they do not all campaign at once.
    package let suspicionSpread: Interval
    /// A campaign lasts as long at most, and so does a new leader's wait for a first answer.
    package let election: Interval
    /// The first back-off after a lost campaign; doubled with each further one, up to `election`.
    package let backOff: Interval

    /// Derives all from etcd's two settings. A suspicion costs little here, because a campaign
    /// starts only when a majority hears no leader: so it comes after three heartbeats, or three
    /// tenths of the election timeout, and not after the whole of it.
    package init(heartbeat: Interval, election: Interval) {
        self.heartbeat = heartbeat
        self.election = election
        suspicion = max(heartbeat * 3, election * 3 / 10)
        suspicionSpread = election / 10
        backOff = max(.milliseconds(2), election / 100)
    }

    /// A leader that no majority answers for this long steps down: about when its followers would
    /// suspect it if it were silent.
    package var leaderPatience: Interval { suspicion + suspicionSpread }

    /// A leader who brings nothing forward for this long, while something waits for it, is doubted
    /// though it is heard.
    package var stall: Interval { election * 2 }

    /// A proposal that takes longer has waited for its link: see ``Pace``. What is not proposed in
    /// twice that time counts as abandoned by its proposer.
    package var response: Interval { suspicion / 2 }

    /// What was not answered for this long is said again.
    package var retransmission: Interval { max(heartbeat, election / 5) }
}
