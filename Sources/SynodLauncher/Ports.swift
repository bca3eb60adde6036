import Foundation

/// Throws ``ClusterError`` listing the ports of the cluster that are not free, before anything is
/// started that would fail for it one by one.
package func checkPorts(of plans: [ReplicaPlan]) throws(ClusterError) {
    let taken = plans.flatMap { plan in
        [(plan.clientPort, "clients"), (plan.peerPort, "peers"), (plan.metricsPort, "metrics")]
            .compactMap { port, use in
                port.flatMap { isFree($0) ? nil : "\($0) (for \(use) of \(plan.name))" }
            }
    }
    guard !taken.isEmpty else { return }
    let ports = taken.joined(separator: ", ")
    throw ClusterError(
        """
        these ports on \(ReplicaPlan.host) cannot be had: \(ports). Is a cluster running already? \
        Stop what uses them or choose other ports with --base-port
        """)
}

private func isFree(_ port: Int) -> Bool {
    #if canImport(Darwin)
        let stream = SOCK_STREAM
    #else
        let stream = Int32(SOCK_STREAM.rawValue)
    #endif
    let descriptor = socket(AF_INET, stream, 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    // As the replicas will: connections of an earlier cluster that linger do not count.
    var reuse: Int32 = 1
    setsockopt(
        descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    address.sin_addr.s_addr = inet_addr(ReplicaPlan.host)
    let isBound = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
    return isBound && listen(descriptor, 1) == 0
}
