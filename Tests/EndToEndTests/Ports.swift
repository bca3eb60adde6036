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
        let handle = Socket.make()
        defer { close(handle) }
        return Socket.withAddress(port) { bind(handle, $0, $1) == 0 }
    }
}
