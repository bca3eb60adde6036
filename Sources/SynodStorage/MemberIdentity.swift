package import SynodBytes

/// Whose data a directory holds.
package struct MemberIdentity: Sendable, Equatable {
    package let clusterID: UInt64
    package let memberID: UInt64
    /// Drawn at random when the directory is made: another directory of the same member has
    /// another one, and peers tell a wiped member by it.
    package let incarnation: UInt64
    /// The member's name, for people.
    package let name: String

    package init(clusterID: UInt64, memberID: UInt64, incarnation: UInt64, name: String) {
        self.clusterID = clusterID
        self.memberID = memberID
        self.incarnation = incarnation
        self.name = name
    }
}

extension MemberIdentity {
    /// Stands at the beginning of an identity file, in every version of the format.
    private static let magic = Bytes("synod id".utf8)
    private static let formatVersion: UInt32 = 1
    /// Bytes; generous, as the name is the only part without a fixed size.
    package static let maximumFileSize = 4096

    /// magic, format version, cluster, member, incarnation, name; then the CRC-32C of all that, as
    /// the last four bytes in every version of the format.
    package var encoded: Bytes {
        var writer = ByteWriter(capacity: 64)
        writer.writeRaw(Self.magic)
        writer.write(Self.formatVersion)
        writer.write(clusterID)
        writer.write(memberID)
        writer.write(incarnation)
        writer.writePrefixed(name.utf8)
        writer.write(CRC32C.checksum(writer.bytes))
        return writer.bytes
    }

    /// Reads an identity file. Nil if it is damaged; throws if it is whole and of a newer format.
    package init?(encoded: Bytes) throws(StorageError) {
        let covered = encoded.dropLast(4)
        var end = ByteReader(encoded.suffix(4))
        guard let checksum = try? end.read(UInt32.self), CRC32C.checksum(covered) == checksum,
            covered.starts(with: Self.magic)
        else { return nil }
        var reader = ByteReader(covered.dropFirst(Self.magic.count))
        guard let version = try? reader.read(UInt32.self) else { return nil }
        guard version <= Self.formatVersion else {
            throw StorageError(
                .unsuitable,
                """
                The data directory has format \(version), and this program knows formats up to \
                \(Self.formatVersion). Start the newer program that wrote it.
                """)
        }
        guard let clusterID = try? reader.read(UInt64.self),
            let memberID = try? reader.read(UInt64.self),
            let incarnation = try? reader.read(UInt64.self),
            let name = try? reader.readPrefixed(), reader.isAtEnd
        else { return nil }
        self.init(
            clusterID: clusterID, memberID: memberID, incarnation: incarnation,
            name: String(decoding: name, as: UTF8.self))
    }
}

extension MemberIdentity {
    /// Throws ``StorageError/Kind/unsuitable`` if the data in a directory, whose this is, is not that of
    /// the member that is about to start there.
    ///
    /// - Parameters:
    ///   - expected: who starts. Another incarnation or name does not matter: those of the directory
    ///     hold.
    ///   - path: names the directory in the error.
    package func refuseUnless(
        _ expected: MemberIdentity, in path: @autoclosure () -> String
    ) throws(StorageError) {
        if clusterID == expected.clusterID && memberID == expected.memberID { return }
        throw StorageError(
            .unsuitable,
            """
            The data directory \(path()) belongs to member \(hex(memberID)) (\(name)) of cluster \
            \(hex(clusterID)), and this is member \(hex(expected.memberID)) (\(expected.name)) of \
            cluster \(hex(expected.clusterID)). Start with that member's flags, or give this \
            member a directory of its own.
            """)
    }

    private func hex(_ number: UInt64) -> String { String(number, radix: 16) }
}
