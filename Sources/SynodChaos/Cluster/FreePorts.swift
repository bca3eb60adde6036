import Foundation
import Synchronization

/// Hands out loopback ports that nobody listens on, each once in a process. They lie below the range
/// from which the system takes ports for outgoing connections, so that a member that was killed
/// finds its own free again.
enum FreePorts {
    private static let range = 10_000...19_999
    private static let next = Mutex(
        range.lowerBound + Int(ProcessInfo.processInfo.processIdentifier) * 7 % range.count)

    static func take() throws -> Int {
        try next.withLock { port in
            for _ in range {
                port = port < range.upperBound ? port + 1 : range.lowerBound
                if isFree(port) { return port }
            }
            throw ChaosError("no port from \(range.lowerBound) to \(range.upperBound) is free")
        }
    }

    private static func isFree(_ port: Int) -> Bool {
        #if canImport(Darwin)
            let handle = socket(AF_INET, SOCK_STREAM, 0)
        #else
            let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        guard handle >= 0 else { return false }
        defer { close(handle) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(handle, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
