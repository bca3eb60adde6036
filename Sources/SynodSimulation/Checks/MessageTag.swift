/// First bytes of the messages that checks look at; a test holds them to the codec.
enum MessageTag {
    static let prepare: UInt8 = 3
    static let promise: UInt8 = 4
    static let nack: UInt8 = 5
    static let accept: UInt8 = 6
    static let accepted: UInt8 = 7
    static let chosen: UInt8 = 8
    static let fetched: UInt8 = 15
    /// A part of a state on its way to another replica.
    static let snapshotChunk: UInt8 = 65

    static func isJudged(_ tag: UInt8?) -> Bool {
        tag.map { $0 == prepare || $0 == promise || $0 == accept || $0 == accepted } ?? false
    }
}
