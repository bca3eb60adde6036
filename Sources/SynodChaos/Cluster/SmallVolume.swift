import Foundation

/// A file system in memory that is small enough to be filled. Linux only, and for root only.
struct SmallVolume {
    let path: String

    /// Why there can be no such volume here; nil if there can.
    static var obstacle: String? {
        #if canImport(Glibc) || canImport(Musl)
            return geteuid() == 0 ? nil : "mounting a tmpfs takes root"
        #else
            return "there is no tmpfs on this system"
        #endif
    }

    /// Makes the directory, for its owner only, and mounts the volume there.
    init(at path: String, megabytes: Int) throws {
        self.path = path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        #if canImport(Glibc) || canImport(Musl)
            let options = "size=\(megabytes)m,mode=0700"
            guard mount("tmpfs", path, "tmpfs", 0, options) == 0 else {
                let reason = String(cString: strerror(errno))
                throw ChaosError("a tmpfs cannot be mounted at \(path): \(reason)")
            }
            Guardian.shared.mounted(path)
        #else
            throw ChaosError("there is no tmpfs on this system")
        #endif
    }

    /// Writes until nothing more fits, or only `spare` bytes.
    func fill(leaving spare: Int = 0) {
        let descriptor = open(ballast, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let step = 64 << 10
        let zeros = [UInt8](repeating: 0, count: step)
        while free > spare + step, write(descriptor, zeros, step) > 0 {}
        if spare == 0 {
            while write(descriptor, zeros, 4096) > 0 {}
        }
    }

    /// Makes room again.
    func empty() { unlink(ballast) }

    func unmount() {
        #if canImport(Glibc) || canImport(Musl)
            umount2(path, CInt(MNT_DETACH))
            Guardian.shared.unmounted()
        #endif
    }

    private var ballast: String { path + "/ballast" }

    private var free: Int {
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: path)
        return (attributes?[.systemFreeSize] as? Int) ?? 0
    }
}
