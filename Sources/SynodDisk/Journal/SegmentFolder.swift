import SynodStorage

/// The directory of a ``Journal``: its segments and the files kept for more of them.
///
///     segment-<number>   one for each number from the oldest needed to the newest
///     spare-<number>     of a segment's size; its content means nothing
///     DURABLE            the ``JournalMark``
struct SegmentFolder: ~Copyable {
    private struct Spare {
        let path: String
        let file: SegmentFile
    }

    private static let segmentPrefix = "segment-"
    private static let sparePrefix = "spare-"

    let path: String
    /// Bytes of each segment but those that were made for one large record.
    let segmentSize: Int
    private var spares: [Spare] = []
    private var maker: (path: String, work: SpareMaker)?
    private var nextSpare: UInt64 = 1

    init(path: String, segmentSize: Int) {
        self.path = path
        self.segmentSize = segmentSize
    }

    deinit {
        // The directory may be opened again at once.
        _ = try? maker?.work.finish()
    }

    /// The numbers of the segments that are there, ascending. Takes in the spare files, removes
    /// what is unfinished, and refuses whatever else there is.
    mutating func takeStock() throws(StorageError) -> [UInt64] {
        var segments: [UInt64] = []
        for name in try FileSystem.list(path) where name != JournalMark.name {
            if let number = Self.number(in: name, after: Self.segmentPrefix) {
                segments.append(number)
            } else if let number = Self.number(in: name, after: Self.sparePrefix) {
                nextSpare = max(nextSpare, number + 1)
                let spare = "\(path)/\(name)"
                try keep(spare, try SegmentFile(opening: spare))
            } else if name.hasSuffix(SegmentFile.unfinishedSuffix) {
                try FileSystem.remove("\(path)/\(name)")
            } else {
                throw StorageError(
                    .unsuitable,
                    """
                    \(path)/\(name) is not a file of the log. Move it elsewhere, then start again.
                    """)
            }
        }
        return segments.sorted()
    }

    func open(_ number: UInt64) throws(StorageError) -> SegmentFile {
        try SegmentFile(opening: segmentPath(number))
    }

    /// The file for a new segment of that number, durably under its name.
    ///
    /// - Parameter record: Bytes of the record that it must have room for.
    mutating func begin(_ number: UInt64, for record: Int) throws(StorageError) -> SegmentFile {
        let target = segmentPath(number)
        let begun: SegmentFile
        if record > segmentSize {
            begun = try SegmentFile(
                making: target, size: roundUp(record, to: JournalLimits.page))
        } else {
            // A spare that could not be made holds nothing of ours, and there may be room by now: if
            // there is none, making the segment itself tells.
            if spares.isEmpty, let (path, work) = maker.take(), let file = try? work.finish() {
                spares.append(Spare(path: path, file: file))
            }
            if let spare = spares.popLast() {
                try FileSystem.move(spare.path, to: target)
                begun = spare.file
            } else {
                begun = try SegmentFile(making: target, size: size(of: number, for: record))
            }
        }
        try FileSystem.syncDirectory(path)
        return begun
    }

    private func size(of number: UInt64, for record: Int) -> Int {
        let first = min(JournalLimits.firstSegment, segmentSize)
        return number == 1 && record <= first ? first : segmentSize
    }

    /// Has a spare file made if there is none.
    mutating func prepareSpare() {
        guard spares.isEmpty, maker == nil else { return }
        let path = sparePath()
        maker = (path, SpareMaker(making: path, size: segmentSize))
    }

    /// Takes back the file of a segment that is not needed any more.
    ///
    /// - Parameter isUnused: Whether nobody else has the file.
    mutating func retire(_ number: UInt64, _ file: SegmentFile, isUnused: Bool)
        throws(StorageError)
    {
        guard isUnused, isWelcome(file) else {
            return try FileSystem.remove(segmentPath(number))
        }
        let spare = sparePath()
        try FileSystem.move(segmentPath(number), to: spare)
        try keep(spare, file)
    }

    /// Keeps a file as a spare one, or removes it.
    private mutating func keep(_ path: String, _ file: SegmentFile) throws(StorageError) {
        guard isWelcome(file) else { return try FileSystem.remove(path) }
        spares.append(Spare(path: path, file: file))
    }

    private func isWelcome(_ file: SegmentFile) -> Bool {
        file.size == segmentSize && spares.count < JournalLimits.spares
    }

    private mutating func sparePath() -> String {
        defer { nextSpare += 1 }
        return "\(path)/\(Self.sparePrefix)\(nextSpare)"
    }

    func segmentPath(_ number: UInt64) -> String {
        "\(path)/\(Self.segmentPrefix)\(number)"
    }

    private static func number(in name: String, after prefix: String) -> UInt64? {
        guard name.hasPrefix(prefix), let number = UInt64(name.dropFirst(prefix.count)),
            number < .max, "\(prefix)\(number)" == name
        else { return nil }
        return number
    }
}
