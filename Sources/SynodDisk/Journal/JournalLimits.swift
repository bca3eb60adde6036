/// The sizes that a ``Journal`` keeps to.
package enum JournalLimits {
    /// Bytes of a segment. Large enough that beginning one (four syncs, about 2 ms) happens less
    /// than once a second at 10 MB/s; small enough that the few kept in reserve are no burden.
    package static let segment = 16 << 20

    /// Bytes of a journal's very first segment: whoever makes many small ones does not wait for
    /// many large files.
    static let firstSegment = 1 << 20

    /// Records begin at multiples of this many bytes: the unit that a disk writes whole or not at
    /// all. So an acknowledged record never shares a sector with a later write that may be torn.
    static let sector = 512

    /// Writes end at multiples of this many bytes, with zeros behind the record, so that the kernel
    /// never has to read the rest of a page of a recycled segment that is no longer in memory.
    static let page = 4096

    /// How many segments are kept for later when they hold nothing any more. The node cuts its log
    /// once for every 64 MiB, which frees four of 16 MiB, and now and then one more.
    static let spares = 5

    /// A new spare segment is made when the one in use is filled to this part of it, which leaves
    /// the time in which the rest is filled.
    static func makesSpare(at offset: Int, of size: Int) -> Bool {
        offset >= size / 4
    }

    /// An oldest segment with at most this many live bytes is emptied by writing them again: a
    /// sixteenth of it costs little, and the handful of small keys that are written once and kept
    /// for ever is far below that.
    static func remnant(of segmentSize: Int) -> Int { segmentSize / 16 }

    /// The bytes of segments above which the oldest one is emptied however much of it is live: at
    /// twice the live bytes and more, writing one byte again frees at least one.
    static func allowance(live: Int, segmentSize: Int) -> Int {
        2 * live + 4 * segmentSize
    }

    /// The buffer in which records are built keeps this much after a larger one.
    static let keptBuffer = 1 << 20

    /// The bytes of zeros with which a new segment is written at a time: what a disk writes in about
    /// a millisecond. With the rests between them, 16 MiB take a second.
    static let fill = 256 << 10

    /// Sequence numbers of one log lie within this distance of each other: it has fewer records.
    static let sequences: UInt64 = 1 << 32
}
