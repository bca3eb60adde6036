/// Names a member to the transport. What the number means is the owner's business.
package struct PeerID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: UInt64

    package init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    package static func < (left: PeerID, right: PeerID) -> Bool { left.rawValue < right.rawValue }

    package var description: String { String(rawValue, radix: 16) }
}

/// Which of the two one-way streams between this member and a peer.
package enum StreamDirection: Hashable, Sendable {
    /// Dialled by the peer; carries the peer's messages here.
    case inbound
    /// Dialled from here; carries messages to the peer.
    case outbound
}

/// Where to listen or whom to dial.
package struct PeerAddress: Hashable, Sendable, CustomStringConvertible {
    /// A host name or a numeric address, IPv6 without brackets.
    package let host: String
    /// 0...65535; 0 lets the system choose when listening.
    package let port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
