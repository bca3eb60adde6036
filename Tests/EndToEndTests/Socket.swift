import Foundation

/// A bare TCP connection to a loopback port.
enum Socket {
    static func make() -> Int32 {
        #if canImport(Glibc)
            socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            socket(AF_INET, SOCK_STREAM, 0)
        #endif
    }

    /// Calls `body` with the address of a loopback port.
    static func withAddress<Result>(
        _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// Connects, writes what the other side takes of `bytes`, ends the sending half, and reads until
    /// the other side ends too or has been silent for a second.
    static func send(_ bytes: Data, to port: Int) throws {
        let handle = make()
        defer { close(handle) }
        guard withAddress(port, { connect(handle, $0, $1) }) == 0 else {
            throw TestFailure("Nothing listens on port \(port)")
        }
        var silence = timeval(tv_sec: 1, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(
                handle, SOL_SOCKET, option, &silence, socklen_t(MemoryLayout<timeval>.size))
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Foundation.send(handle, $0.baseAddress, $0.count, noSignal)
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
        shutdown(handle, Int32(SHUT_WR))
        var answer = [UInt8](repeating: 0, count: 4096)
        while recv(handle, &answer, answer.count, 0) > 0 {}
    }

    /// A connection that the other side reset is an error here, not the end of the process.
    private static var noSignal: Int32 {
        #if canImport(Glibc)
            Int32(MSG_NOSIGNAL)
        #else
            0
        #endif
    }
}
