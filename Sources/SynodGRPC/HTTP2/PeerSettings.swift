package import NIOCore

/// A client's SETTINGS, as far as they mean something to us (RFC 9113, section 6.5.2). We send no
/// larger frames than every peer takes, push nothing, and open no streams.
package struct PeerSettings: Hashable, Sendable {
    package private(set) var headerTableSize: Int?
    package private(set) var initialWindow: Int?

    private enum Parameter {
        static let headerTableSize: UInt16 = 1
        static let enablePush: UInt16 = 2
        static let initialWindowSize: UInt16 = 4
        static let maxFrameSize: UInt16 = 5
    }

    /// Reads a frame's payload. Of a parameter that comes twice the last value counts.
    package init(_ payload: ByteBuffer) throws(ConnectionError) {
        guard payload.readableBytes.isMultiple(of: 6) else { throw .frameSize }
        var payload = payload
        while let parameter = payload.readInteger(as: UInt16.self),
            let value = payload.readInteger(as: UInt32.self)
        {
            switch parameter {
            case Parameter.headerTableSize:
                headerTableSize = Int(value)
            case Parameter.enablePush:
                guard value <= 1 else {
                    throw ConnectionError(.protocolError, "SETTINGS_ENABLE_PUSH is 0 or 1")
                }
            case Parameter.initialWindowSize:
                guard value <= UInt32(FlowControl.largestWindow) else { throw .windowOverflow }
                initialWindow = Int(value)
            case Parameter.maxFrameSize:
                guard (16_384...16_777_215).contains(value) else {
                    throw ConnectionError(.protocolError, "SETTINGS_MAX_FRAME_SIZE out of range")
                }
            default:
                break
            }
        }
    }
}
