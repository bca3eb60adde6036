import Synchronization
import SynodBytes
import SynodStorage

/// An open ``Journal``.
final class JournalHandle: Sendable {
    let contents: SharedContents
    private let writer: Mutex<JournalWriter>

    /// Opens the journal in a directory that has one, even if nothing more than its mark.
    init(directory: String, segmentSize: Int) throws(StorageError) {
        let mark = try JournalMark(directory: directory)
        var folder = SegmentFolder(path: directory, segmentSize: segmentSize)
        let numbers = try folder.takeStock()
        try Self.refuseMissing(numbers, in: folder, mark.content)
        var segments: [(number: UInt64, file: SegmentFile)] = []
        for number in numbers { segments.append((number, try folder.open(number))) }
        // A crash may have come between the mark and the removal of what it calls unneeded.
        let needed = segments.filter { $0.number >= mark.content.oldest }
        let recovery = try JournalRecovery(of: needed, in: directory, mark.content)
        let held = recovery.contents.segments.map(\.number)
        let unneeded = segments.filter { !held.contains($0.number) }
        contents = SharedContents(recovery.contents)
        var writer = JournalWriter(
            folder: folder, mark: mark, recovered: recovery, contents: contents)
        try writer.takeOver(unneeded: unneeded)
        self.writer = Mutex(writer)
    }

    func write(_ batch: WriteBatch, durability: Durability) throws(StorageError) {
        try writer.withLock { writer throws(StorageError) in
            try writer.write(batch, durability: durability)
        }
    }

    func flush() throws(StorageError) {
        try writer.withLock { writer throws(StorageError) in try writer.flush() }
    }

    /// Refuses a journal some of whose segments are gone.
    private static func refuseMissing(
        _ numbers: [UInt64], in folder: borrowing SegmentFolder, _ mark: JournalMark.Content
    ) throws(StorageError) {
        let newest = max(mark.newest, numbers.last ?? 0)
        guard mark.oldest <= newest else { return }
        let present = Set(numbers)
        guard let missing = (mark.oldest...newest).first(where: { !present.contains($0) }) else {
            return
        }
        throw StorageError(
            .corrupt, "\(folder.segmentPath(missing)) is missing. \(Advice.replaceMember)")
    }
}
