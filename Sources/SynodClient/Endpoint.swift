/// Where a member listens for clients.
struct Endpoint: Hashable, Sendable {
    let host: String
    let port: Int

    /// As it goes into `:authority`.
    var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Reads `host:port` or `http://host:port`, where an IPv6 address stands in brackets.
    init(_ text: String) throws(ClientError) {
        var rest = Substring(text)
        if let scheme = rest.range(of: "://") {
            guard rest[..<scheme.lowerBound] == "http" else {
                throw Self.malformed(text, "only http is supported")
            }
            rest = rest[scheme.upperBound...]
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard let colon = rest.lastIndex(of: ":"),
            let port = Int(rest[rest.index(after: colon)...]),
            (1...65_535).contains(port)
        else {
            throw Self.malformed(text, "it does not end in a port")
        }
        var host = rest[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, !host.contains("/") else {
            throw Self.malformed(text, "it names no host")
        }
        self.host = String(host)
        self.port = port
    }

    private static func malformed(_ text: String, _ reason: String) -> ClientError {
        ClientError(code: .invalidArgument, message: "\"\(text)\" is not an endpoint: \(reason)")
    }
}

extension Substring {
    /// Where a short text first occurs.
    fileprivate func range(of text: String) -> Range<Index>? {
        indices.lazy.compactMap { start in
            self[start...].hasPrefix(text)
                ? start..<self.index(start, offsetBy: text.count) : nil
        }.first
    }
}
