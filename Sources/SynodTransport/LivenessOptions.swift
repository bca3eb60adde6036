import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Socket options that send small messages at once, and find a peer that fell silent even when
/// nothing is being sent to it.
func livenessOptions(
    _ limits: TransportLimits
) -> [(option: ChannelOptions.Types.SocketOption, value: Int)] {
    func tcp(_ name: CInt) -> ChannelOptions.Types.SocketOption {
        .init(level: .tcp, name: .init(rawValue: name))
    }
    var options: [(option: ChannelOptions.Types.SocketOption, value: Int)] = [
        (.init(level: .socket, name: .so_keepalive), 1), (tcp(TCP_NODELAY), 1),
    ]
    #if os(Linux)
        let patience = Int(limits.unacknowledged.nanoseconds / 1_000_000)
        options += [
            (tcp(TCP_KEEPIDLE), 5), (tcp(TCP_KEEPINTVL), 2), (tcp(TCP_KEEPCNT), 3),
            (tcp(TCP_USER_TIMEOUT), patience),
        ]
    #endif
    return options
}
