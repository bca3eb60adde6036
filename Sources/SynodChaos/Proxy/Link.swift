/// One direction between two members, by their indices: what `from` says to `to`.
package struct Link: Hashable, Sendable {
    package let from: Int
    package let to: Int

    package init(from: Int, to: Int) {
        self.from = from
        self.to = to
    }
}

/// What a link does to the frames that pass it. Several of these can hold at once.
package struct LinkFault: Sendable, Equatable {
    package enum Cut: Sendable, Equatable {
        case none
        /// Everything is taken and thrown away; the connections stay up, as with a firewall that
        /// drops packets.
        case silent
        /// Connections are reset and new ones refused, as with a firewall that rejects.
        case severed
    }

    package var cut = Cut.none
    /// Frames of messages that are lost, out of a thousand.
    package var lossPermille: UInt64 = 0
    /// Frames that get one wrong bit, out of a thousand.
    package var corruptionPermille: UInt64 = 0
    /// How much later a frame arrives, in milliseconds; frames never overtake each other.
    package var delayMilliseconds: ClosedRange<Int64> = 0...0

    package static let healthy = LinkFault()
    package static let silent = LinkFault(cut: .silent)
    package static let severed = LinkFault(cut: .severed)

    package init(
        cut: Cut = .none, lossPermille: UInt64 = 0, corruptionPermille: UInt64 = 0,
        delayMilliseconds: ClosedRange<Int64> = 0...0
    ) {
        self.cut = cut
        self.lossPermille = lossPermille
        self.corruptionPermille = corruptionPermille
        self.delayMilliseconds = delayMilliseconds
    }
}
