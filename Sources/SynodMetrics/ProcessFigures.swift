#if canImport(Glibc)
    @preconcurrency import Glibc
#elseif canImport(Musl)
    @preconcurrency import Musl
#else
    @preconcurrency import Darwin
#endif

/// What the operating system tells of this process; nil where it does not say, as some of it is
/// told by Linux only.
struct ProcessFigures: Sendable {
    var residentBytes: UInt64?
    var openFiles: UInt64?
    var mostFiles: UInt64?
    /// Since 1970, in seconds.
    var startTime: Double?
    /// Of all threads, in user and system mode, in seconds.
    var cpuSeconds: Double?

    /// Asks the operating system, which for many open files takes a while.
    static func now() -> ProcessFigures {
        ProcessFigures(
            residentBytes: residentBytes(), openFiles: openFiles(), mostFiles: mostFiles(),
            startTime: start, cpuSeconds: seconds(CLOCK_PROCESS_CPUTIME_ID))
    }

    var families: [MetricFamily] {
        let (open, most) = (openFiles.map { MetricValue($0) }, mostFiles.map { MetricValue($0) })
        return [
            MetricFamily(
                "process_cpu_seconds_total", .counter,
                "Seconds of processor time that this process has used.",
                cpuSeconds.map { .decimal($0) }),
            MetricFamily(
                "process_resident_memory_bytes", .gauge, "Bytes of memory in use.",
                residentBytes.map { MetricValue($0) }),
            MetricFamily(
                "process_start_time_seconds", .gauge,
                "When this process started, in seconds since 1970.",
                startTime.map { .decimal($0) }),
            MetricFamily("process_open_fds", .gauge, "Open files and connections.", open),
            MetricFamily(
                "process_max_fds", .gauge, "Files and connections that may be open at once.", most),
            MetricFamily(
                "os_fd_used", .gauge, "As process_open_fds, under the name that etcd gives it.",
                open),
            MetricFamily(
                "os_fd_limit", .gauge, "As process_max_fds, under the name that etcd gives it.",
                most),
        ]
    }

    private static func mostFiles() -> UInt64? {
        var limit = rlimit()
        #if canImport(Darwin)
            let resource = RLIMIT_NOFILE
        #else
            let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #endif
        return getrlimit(resource, &limit) == 0 ? UInt64(limit.rlim_cur) : nil
    }

    private static func seconds(_ clock: clockid_t) -> Double? {
        var time = timespec()
        guard clock_gettime(clock, &time) == 0 else { return nil }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    #if canImport(Darwin)
        private static func residentBytes() -> UInt64? { nil }
        private static func openFiles() -> UInt64? { nil }
        private static let start: Double? = nil
    #else
        private static func residentBytes() -> UInt64? {
            let sizes = contents(of: "/proc/self/statm")?.split(separator: " ") ?? []
            guard sizes.count > 1, let pages = UInt64(sizes[1]) else { return nil }
            return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
        }

        private static func openFiles() -> UInt64? {
            guard let directory = opendir("/proc/self/fd") else { return nil }
            defer { closedir(directory) }
            var entries: UInt64 = 0
            while readdir(directory) != nil { entries += 1 }
            // Not the directory itself, its parent, and the file that reads it.
            return entries - min(entries, 3)
        }

        /// Computed once, so that it does not move with the clocks that it comes from.
        private static let start: Double? = {
            // The name, in parentheses, may hold anything; the 20th field behind it is the start
            // after the machine's own, in ticks.
            guard let text = contents(of: "/proc/self/stat"),
                let name = text.lastIndex(of: ")"),
                let now = seconds(CLOCK_REALTIME), let sinceBoot = seconds(CLOCK_BOOTTIME)
            else { return nil }
            let fields = text[name...].split(separator: " ")
            guard fields.count > 20, let ticks = Double(fields[20]) else { return nil }
            return now - sinceBoot + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
        }()

        /// The beginning of a small file.
        private static func contents(of path: String) -> String? {
            let file = open(path, O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { return nil }
            defer { close(file) }
            var buffer = [UInt8](repeating: 0, count: 2048)
            let count = read(file, &buffer, buffer.count)
            return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
        }
    #endif
}
