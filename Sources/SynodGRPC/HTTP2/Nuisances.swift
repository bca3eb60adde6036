package import NIOCore

/// Counts what costs us work and the peer nothing, and says when it is too much.
package struct Nuisances {
    /// One second of one kind.
    private struct Rate {
        private var start: NIODeadline?
        private var count = 0

        mutating func add(_ weight: Int, now: NIODeadline) -> Int {
            if let start, now < start + .seconds(1) {
                count += weight
            } else {
                start = now
                count = weight
            }
            return count
        }
    }

    package enum Kind: Int, CaseIterable, Sendable {
        case reset
        case ping
        case settings
        case emptyData
        case streamError
    }

    private let perSecond: Int
    private let streamErrorsInAll: Int
    private var rates = [Rate](repeating: Rate(), count: Kind.allCases.count)
    private var streamErrorCount = 0

    package init(perSecond: Int, streamErrors: Int) {
        self.perSecond = perSecond
        streamErrorsInAll = streamErrors
    }

    /// - Parameter weight: How many ordinary ones this one is worth.
    package mutating func count(
        _ kind: Kind, weight: Int = 1, now: NIODeadline
    ) throws(ConnectionError) {
        if kind == .streamError { streamErrorCount += 1 }
        guard rates[kind.rawValue].add(weight, now: now) <= perSecond,
            streamErrorCount <= streamErrorsInAll
        else {
            throw ConnectionError(.enhanceYourCalm, "too many frames that serve no purpose")
        }
    }
}
