import SynodBytes
import SynodStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The few operations on files that the data directory needs.
enum FileSystem {
    /// The error that `errno` stands for after a failed attempt to do `purpose`.
    static func error(_ purpose: String) -> StorageError {
        let code = errno
        let reason = String(cString: strerror(code))
        let isFull = code == ENOSPC || code == EDQUOT
        return StorageError(
            isFull ? .full : .io,
            "Could not \(purpose): \(reason). \(isFull ? Advice.freeSpace : Advice.checkDisk)")
    }

    static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// The permission bits.
    static func permissions(_ path: String) throws(StorageError) -> mode_t {
        var status = stat()
        if stat(path, &status) != 0 { throw error("examine \(path)") }
        return status.st_mode & 0o777
    }

    /// Makes a directory and those above it, for this user alone; not an error if it is there.
    static func makeDirectory(_ path: String) throws(StorageError) {
        if exists(path) {
            guard isDirectory(path) else {
                throw StorageError(
                    .unsuitable, "\(path) is not a directory. Name another with --data-dir.")
            }
            return
        }
        let parent = parent(of: path)
        if parent != path { try makeDirectory(parent) }
        if mkdir(path, 0o700) != 0 && errno != EEXIST { throw error("make the directory \(path)") }
        try syncDirectory(parent)
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The names in a directory, sorted, without "." and "..".
    static func list(_ path: String) throws(StorageError) -> [String] {
        guard let directory = opendir(path) else { throw error("list the directory \(path)") }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
                field.withMemoryRebound(to: CChar.self, capacity: 1) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Replaces a file so that a crash leaves the old one or the new one, whole.
    static func replace(_ path: String, with bytes: Bytes) throws(StorageError) {
        let temporary = path + ".new"
        do {
            let file = try OpenFile(temporary, O_WRONLY | O_CREAT | O_TRUNC)
            try file.write(bytes, at: 0)
            try file.sync()
        }
        try move(temporary, to: path)
        try syncDirectory(parent(of: path))
    }

    /// Gives a file another name, at which there may be one that then goes away.
    static func move(_ path: String, to newPath: String) throws(StorageError) {
        if rename(path, newPath) != 0 { throw error("rename \(path)") }
    }

    /// Removes a file; one that is open goes away when it is closed.
    static func remove(_ path: String) throws(StorageError) {
        if unlink(path) != 0 { throw error("remove \(path)") }
    }

    /// Makes the creation, renaming and removal of a directory's entries durable.
    static func syncDirectory(_ path: String) throws(StorageError) {
        try OpenFile(path, O_RDONLY).sync()
    }

    /// Removes a directory of files and directories; not an error if it is not there.
    static func removeTree(_ path: String) throws(StorageError) {
        if unlink(path) == 0 || errno == ENOENT { return }
        guard errno == EISDIR || errno == EPERM else { throw error("remove \(path)") }
        for name in try list(path) { try removeTree("\(path)/\(name)") }
        if rmdir(path) != 0 { throw error("remove the directory \(path)") }
    }

    /// What is free on the volume of `path`, for a process without privileges, and its size.
    static func space(_ path: String) throws(StorageError) -> VolumeSpace {
        var status = statvfs()
        if statvfs(path, &status) != 0 { throw error("ask for the free space of \(path)") }
        let unit = UInt64(status.f_frsize)
        return VolumeSpace(
            free: unit.multipliedReportingOverflow(by: UInt64(status.f_bavail)).partialValue,
            total: unit.multipliedReportingOverflow(by: UInt64(status.f_blocks)).partialValue)
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

/// Bytes of a volume.
package struct VolumeSpace: Sendable, Equatable {
    package let free: UInt64
    package let total: UInt64
}
