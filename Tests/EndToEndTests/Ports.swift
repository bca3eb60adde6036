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

    /// A port so that it and those at these distances from it are free. They lie above all that
    /// ``free()`` hands out.
    static func free(with distances: [Int]) -> Int {
        let last = distances.max() ?? 0
        let bases = Array(stride(from: 32_010, to: 32_760 - last, by: last + 1))
        let rotation = Int(ProcessInfo.processInfo.processIdentifier) % bases.count
        let rotated = bases.dropFirst(rotation) + bases.prefix(rotation)
        return rotated.first { base in ([0] + distances).allSatisfy { isFree(base + $0) } }
            ?? 32_010
    }

    private static func isFree(_ port: Int) -> Bool {
        let handle = Socket.make()
        defer { close(handle) }
        return Socket.withAddress(port) { bind(handle, $0, $1) == 0 }
    }
}
