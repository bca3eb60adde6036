package import NIOCore

/// The messages of one call that wait for a window or for the socket, and how the call ends behind
/// them. They are kept as they came; a message's prefix is made when it leaves.
package struct OutboundQueue {
    private var messages: [[UInt8]] = []
    /// The first message that has not left completely, and how much of it and its prefix has.
    private var first = 0
    private var sentBytes = 0
    /// What has not left, in bytes.
    package private(set) var count = 0
    /// The status to end the call with, once it is known.
    package var end: Status?

    package init() {}

    package mutating func append(_ message: [UInt8]) {
        precondition(message.count <= Int(UInt32.max), "A message's length fits its prefix.")
        messages.append(message)
        count += message.count + MessageAssembler.prefixBytes
    }

    /// Writes the next `size` bytes, of which there are as many at least.
    package mutating func write(_ size: Int, into output: inout ByteBuffer) {
        precondition(size <= count, "No more is taken than there is.")
        count -= size
        var rest = size
        while rest > 0 {
            let written = writeFirst(upTo: rest, into: &output)
            rest -= written
            sentBytes += written
            guard sentBytes == messages[first].count + MessageAssembler.prefixBytes else {
                continue
            }
            messages[first] = []
            first += 1
            sentBytes = 0
        }
        dropSent()
    }

    private func writeFirst(upTo size: Int, into output: inout ByteBuffer) -> Int {
        let message = messages[first]
        guard sentBytes < MessageAssembler.prefixBytes else {
            let start = sentBytes - MessageAssembler.prefixBytes
            let end = min(start + size, message.count)
            output.writeBytes(message[start..<end])
            return end - start
        }
        let length = UInt64(message.count)
        let end = min(sentBytes + size, MessageAssembler.prefixBytes)
        for index in sentBytes..<end {
            output.writeInteger(UInt8(truncatingIfNeeded: length >> UInt64(8 * (4 - index))))
        }
        return end - sentBytes
    }

    /// Gives the places of sent messages back when they are most of the queue.
    private mutating func dropSent() {
        if first == messages.count {
            messages.removeAll()
            first = 0
        } else if first > 16, first > messages.count / 2 {
            messages.removeSubrange(..<first)
            first = 0
        }
    }
}
