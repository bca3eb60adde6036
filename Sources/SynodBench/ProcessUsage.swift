import Foundation

/// What processes have used, as Linux's `/proc` tells; elsewhere nothing is known.
package struct ProcessUsage {
    /// Of all that could be read, in user and kernel mode, in microseconds.
    package let processorMicroseconds: Double
    /// Resident memory of all that could be read, in bytes.
    package let residentBytes: Int

    /// Nil when not one of the processes can be looked at.
    package init?(of processes: [Int32]) {
        let usages = processes.compactMap { process in
            Self.processorTicks(of: process).flatMap { ticks in
                Self.residentBytes(of: process).map { (ticks, $0) }
            }
        }
        guard !usages.isEmpty else { return nil }
        let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))
        processorMicroseconds = usages.reduce(0) { $0 + $1.0 } * 1_000_000 / ticksPerSecond
        residentBytes = usages.reduce(0) { $0 + $1.1 }
    }

    /// The 14th and 15th field of `stat`; the second one is a name that may hold anything, so
    /// counting starts behind its closing parenthesis.
    private static func processorTicks(of process: Int32) -> Double? {
        guard let stat = read("/proc/\(process)/stat"),
            let parenthesis = stat.lastIndex(of: ")")
        else { return nil }
        let fields = stat[stat.index(after: parenthesis)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12])
        else { return nil }
        return user + system
    }

    private static func residentBytes(of process: Int32) -> Int? {
        let prefix = "VmRSS:"
        guard let status = read("/proc/\(process)/status"),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix(prefix) }),
            let kibibytes = line.dropFirst(prefix.count).split(whereSeparator: \.isWhitespace).first
                .flatMap({ Int($0) })
        else { return nil }
        return kibibytes * 1024
    }

    /// Reads to the end, because files in `/proc` claim to be empty.
    private static func read(_ path: String) -> String? {
        guard let file = FileHandle(forReadingAtPath: path), let data = try? file.readToEnd()
        else { return nil }
        return String(decoding: data, as: UTF8.self)
    }
}
