import SynodBytes

/// The configurations that a search has been in: which steps it had taken, and what the register
/// held then. To come to one again, by whatever order, is to fail again (Lowe 2017, section 4).
///
/// An open hash table of numbers into arrays that only grow: no object for each configuration.
struct ConfigurationCache {
    private struct Entry {
        let hash: UInt64
        let state: Int32
        let firstWord: Int32
        let words: Range<Int>
    }

    private var entries: [Entry] = []
    private var words: [UInt64] = []
    /// Numbers of entries plus one; zero is free. A power of two of them.
    private var table = Array(repeating: Int32(0), count: 1024)

    /// Adds a configuration; false if it was there.
    mutating func insert(_ set: LinearizedSet, _ state: Int32) -> Bool {
        let hash = set.hash ^ mix64(UInt64(UInt32(bitPattern: state)) << 32)
        var place = Int(truncatingIfNeeded: hash) & (table.count - 1)
        while table[place] != 0 {
            if isEqual(entries[Int(table[place]) - 1], set, state, hash) { return false }
            place = (place + 1) & (table.count - 1)
        }
        let start = words.count
        for index in set.window { words.append(set.words[index]) }
        entries.append(
            Entry(
                hash: hash, state: state, firstWord: Int32(set.firstOpen),
                words: start..<words.count))
        table[place] = Int32(entries.count)
        if entries.count * 2 > table.count { grow() }
        return true
    }

    private func isEqual(
        _ entry: Entry, _ set: LinearizedSet, _ state: Int32, _ hash: UInt64
    ) -> Bool {
        guard entry.hash == hash, entry.state == state, Int(entry.firstWord) == set.firstOpen,
            entry.words.count == set.window.count
        else { return false }
        for (mine, theirs) in zip(entry.words, set.window) where words[mine] != set.words[theirs] {
            return false
        }
        return true
    }

    private mutating func grow() {
        table = Array(repeating: 0, count: table.count * 2)
        for (number, entry) in entries.enumerated() {
            var place = Int(truncatingIfNeeded: entry.hash) & (table.count - 1)
            while table[place] != 0 { place = (place + 1) & (table.count - 1) }
            table[place] = Int32(number + 1)
        }
    }
}
