#if SYNOD_PLANTED_BUGS
    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #else
        import Darwin
    #endif

    /// Mistakes that can be made on purpose, to see whether they are found. They exist in builds
    /// with `SYNOD_PLANTED=1` only; the variable `SYNOD_BUG` selects one for the whole process.
    package enum PlantedBug: String, CaseIterable, Sendable {
        /// An acceptor answers before its write is durable.
        case answersBeforeSync = "B1"
        case forgetsPromise = "B2"
        /// An acceptor accepts below its promise.
        case ignoresPromise = "B3"
        /// A new leader proposes something of its own where others have accepted.
        case ignoresAccepted = "B4"
        /// Half of an even number counts as a majority.
        case halfIsMajority = "B5"
        /// A restarted replica campaigns with a ballot that it used before.
        case reusesBallot = "B6"
        /// A replica with an empty disk is taken for the one that had its name before.
        case trustsOtherDisks = "B7"
        /// The position in the log is saved before what the commands up to it changed.
        case savesPositionFirst = "B8"
        /// A leader takes for chosen what it alone has accepted.
        case answersWithoutQuorum = "B9"
        /// A read asks nobody.
        case readsLocally = "B10"
        /// A read joins a round that began before it.
        case reusesReadBound = "B11"
        /// A state from a peer takes the place of a newer one.
        case installsOlderState = "B12"
        /// The order of a hash table gets into what a command leaves behind.
        case appliesInHashOrder = "B17"
        /// A lost campaign is followed by the next at once.
        case neverBacksOff = "B21"
        /// A replica with an older copy of its disk is taken for what it was.
        case trustsOlderDisks = "B24"
        /// A log that lacks its end is taken for complete.
        case ignoresLostTail = "B25"
        /// A write of unknown outcome is reported as one that was refused.
        case reportsUnknownAsRefused = "B29"
        /// An answer that arrives twice counts twice.
        case countsTwice = "B30"
        /// A proposer that has started again is granted what an earlier start was.
        case repeatsGrants = "B31"
        /// The stamps of some slots are made without a note of the keys that they touch.
        case forgetsConflict = "B32"
        /// A slot is abandoned although the leader's own acceptor has accepted its entry.
        case abandonsAccepted = "B33"
        /// What is executed ahead takes the revision that is next when it is.
        case countsArrivals = "B34"
        /// What was accepted before its slot was abandoned is taken for chosen.
        case believesAbandoned = "B35"
        /// A slot that has become a no-op counts as executed before those before it are.
        case passesNoops = "B36"
        /// A read of several keys is answered with what is ahead of the prefix.
        case readsRangesAhead = "B37"
        /// Stamps do not tell of the slots before theirs that are not decided.
        case forgetsPending = "B38"
        /// Who has a no-op in a slot tells reads that nothing else can be chosen there.
        case trustsNoops = "B39"
        /// A leader counts one revision too many for some slots that it grants.
        case countsTooMany = "B40"

        package static let active = getenv("SYNOD_BUG").flatMap {
            PlantedBug(rawValue: String(cString: $0))
        }

        package var isActive: Bool { Self.active == self }
    }
#endif
