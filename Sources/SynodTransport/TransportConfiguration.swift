/// What a ``PeerTransport`` is made with.
package struct TransportConfiguration: Sendable {
    /// Where peers may dial this member; a port of 0 is chosen by the system.
    package var listen: [PeerAddress]
    package var limits: TransportLimits
    package var versions: WireVersions

    package init(
        listen: [PeerAddress], limits: TransportLimits = .init(),
        versions: WireVersions = .current
    ) {
        self.listen = listen
        self.limits = limits
        self.versions = versions
    }
}
