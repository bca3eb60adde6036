/// What the client port must know of the replica that it belongs to.
package struct APIConfiguration: Sendable {
    /// Where to listen.
    package struct Address: Sendable, Hashable, CustomStringConvertible {
        /// A name or an address; an IPv6 address without brackets.
        package let host: String
        /// 0 to 65535; 0 for any free port.
        package let port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        package var description: String {
            host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }

    /// One entry of the member list.
    package struct Member: Sendable, Hashable {
        package let id: UInt64
        package let name: String
        package let peerURLs: [String]

        package init(id: UInt64, name: String, peerURLs: [String]) {
            self.id = id
            self.name = name
            self.peerURLs = peerURLs
        }
    }

    package var listen: [Address]
    package var clusterID: UInt64
    /// This replica.
    package var memberID: UInt64
    /// In the order in which they are listed.
    package var members: [Member]
    /// The largest command, in bytes; at least 1.
    package var maxRequestBytes: Int
    /// Operations in one transaction; at least 1.
    package var maxTxnOps: Int

    package init(
        listen: [Address], clusterID: UInt64, memberID: UInt64, members: [Member],
        maxRequestBytes: Int = 3 << 19, maxTxnOps: Int = 128
    ) {
        self.listen = listen
        self.clusterID = clusterID
        self.memberID = memberID
        self.members = members
        self.maxRequestBytes = maxRequestBytes
        self.maxTxnOps = maxTxnOps
    }
}
