import SynodStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The two copies of a ``MemberIdentity`` in a directory: either one is enough.
struct IdentityFiles {
    private let paths: [String]

    init(directory: String) {
        paths = ["\(directory)/identity", "\(directory)/identity.copy"]
    }

    /// The identity, or nil if there is none. A copy that is missing or damaged is written anew
    /// from the other one; if neither is whole, or they differ, throws
    /// ``StorageError/Kind/corrupt``.
    func load() throws(StorageError) -> MemberIdentity? {
        let present = paths.filter(FileSystem.exists)
        if present.isEmpty { return nil }
        var copies: [MemberIdentity?] = []
        for path in paths { copies.append(try read(path)) }
        let whole = copies.compactMap { $0 }
        guard let identity = whole.first, whole.allSatisfy({ $0 == identity }) else {
            let trouble = whole.isEmpty ? "are damaged" : "contradict each other"
            throw StorageError(
                .corrupt,
                "\(present.joined(separator: " and ")) \(trouble). \(Advice.replaceMember)")
        }
        for (path, copy) in zip(paths, copies) where copy == nil {
            try FileSystem.replace(path, with: identity.encoded)
        }
        return identity
    }

    func create(_ identity: MemberIdentity) throws(StorageError) {
        for path in paths { try FileSystem.replace(path, with: identity.encoded) }
    }

    private func read(_ path: String) throws(StorageError) -> MemberIdentity? {
        guard FileSystem.exists(path) else { return nil }
        let file = try OpenFile(path, O_RDONLY)
        return try MemberIdentity(encoded: try file.read(limit: MemberIdentity.maximumFileSize))
    }
}
