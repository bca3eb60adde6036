/// Names a stream of a connection: odd numbers, each larger than the one before (RFC 9113, section
/// 5.1.1). Zero stands for the connection.
package struct StreamID: Hashable, Comparable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package static let connection = StreamID(rawValue: 0)

    /// Whether a client may begin a stream of this number.
    var isOfClient: Bool { rawValue & 1 == 1 }

    package static func < (left: StreamID, right: StreamID) -> Bool {
        left.rawValue < right.rawValue
    }
}
