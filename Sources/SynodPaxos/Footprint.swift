import SynodBytes

/// The keys that a command touches, as stable 64-bit hashes: all that consensus ever learns of a
/// command's meaning. Two commands whose footprints do not overlap commute.
package enum Footprint: Hashable, Sendable {
    /// Exactly one key: most commands.
    case key(UInt64)
    /// Several keys.
    case keys([UInt64])
    /// A *barrier*: the command may touch any key.
    case everything

    package func overlaps(_ other: Footprint) -> Bool {
        switch (self, other) {
        case (.everything, _), (_, .everything): true
        case (.key(let left), .key(let right)): left == right
        case (.key(let key), .keys(let keys)), (.keys(let keys), .key(let key)): keys.contains(key)
        case (.keys(let left), .keys(let right)): left.contains { right.contains($0) }
        }
    }
}
