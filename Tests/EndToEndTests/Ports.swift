import Foundation
import Synchronization

/// Hands out loopback ports that nobody listens on, each once in a test run. They lie below the
/// range from which the system takes ports for outgoing connections.
enum Ports {
    private static let next = Mutex(20_000 + Int(ProcessInfo.processInfo.processIdentifier) % 9_000)

    static func free() -> Int {
        next.withLock { port in
            repeat { port = port < 32_000 ? port + 1 : 20_000 } while !isFree(port)
            return port
        }
    }

    private static func isFree(_ port: Int) -> Bool {
        #if canImport(Glibc)
            let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            let handle = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        defer { close(handle) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(handle, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
