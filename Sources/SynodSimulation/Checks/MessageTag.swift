/// First bytes of the messages that checks look at. A test holds them to the core's codec; the last
/// is the node's, and its fault would never fire if it were wrong.
package enum MessageTag {
    package static let prepare: UInt8 = 3
    package static let promise: UInt8 = 4
    package static let accept: UInt8 = 6
    package static let accepted: UInt8 = 7
    package static let chosen: UInt8 = 8
    package static let forward: UInt8 = 11
    package static let fetched: UInt8 = 15
    package static let grant: UInt8 = 19
    /// A part of a state on its way to another replica.
    package static let snapshotChunk: UInt8 = 65

    static func isJudged(_ tag: UInt8?) -> Bool {
        tag.map { $0 == prepare || $0 == promise || $0 == accept || $0 == accepted } ?? false
    }
}
