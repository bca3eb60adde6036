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
        /// A leader takes for chosen what it alone has accepted.
        case answersWithoutQuorum = "B9"
        /// A read asks nobody.
        case readsLocally = "B10"
        /// A read joins a round that began before it.
        case reusesReadBound = "B11"
        /// A lost campaign is followed by the next at once.
        case neverBacksOff = "B21"
        /// An answer that arrives twice counts twice.
        case countsTwice = "B30"

        package static let active = getenv("SYNOD_BUG").flatMap {
            PlantedBug(rawValue: String(cString: $0))
        }

        package var isActive: Bool { Self.active == self }
    }
#endif
