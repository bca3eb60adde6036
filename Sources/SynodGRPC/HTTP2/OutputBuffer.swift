import NIOCore

/// Collects what one read or one batch of answers brings about, so that it costs one buffer and one
/// system call, however many frames it is.
struct OutputBuffer {
    /// Memory beyond this size is not used again, in bytes.
    private static let largestKept = 64 << 10

    private var bytes = ByteBuffer()
    /// Whether `bytes` was taken, and is to be emptied before its next use. Emptying it late finds
    /// it free again, because the socket has usually taken it by then.
    private var isTaken = false

    /// What was written since the last ``take()``, in bytes.
    var count: Int { isTaken ? 0 : bytes.readableBytes }

    /// Where to write to.
    var writable: ByteBuffer {
        get { bytes }
        _modify {
            if isTaken { recycle() }
            yield &bytes
        }
    }

    mutating func take() -> ByteBuffer {
        let taken = bytes
        if taken.capacity > Self.largestKept { bytes = ByteBuffer() } else { isTaken = true }
        return taken
    }

    private mutating func recycle() {
        isTaken = false
        bytes.clear()
    }
}
