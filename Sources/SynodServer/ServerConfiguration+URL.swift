extension ServerConfiguration {
    /// `http://host:port`, and nothing more: what etcd's flags call a URL.
    package struct URL: Sendable, Hashable, Comparable, CustomStringConvertible {
        /// A name or an address, in lower case; an IPv6 address without its brackets.
        package let host: String
        /// 1 to 65535.
        package let port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        /// Reads one URL; the error is the rest of a sentence that begins with the URL's origin.
        package init(parsing text: String) throws(ConfigurationError) {
            guard let separator = text.firstRange(of: "://") else {
                throw ConfigurationError("'\(text)' is not of the form http://host:port.")
            }
            let scheme = text[..<separator.lowerBound].lowercased()
            guard scheme != "https" else {
                throw ConfigurationError("'\(text)' asks for TLS, and TLS is not supported yet.")
            }
            guard scheme == "http" else {
                throw ConfigurationError("'\(text)' has the scheme '\(scheme)' instead of http.")
            }
            let authority = text[separator.upperBound...]
            guard !authority.contains(where: { "/?#".contains($0) }) else {
                throw ConfigurationError(
                    "'\(text)' has a path, and only http://host:port is meant.")
            }
            guard
                let colon = authority.lastIndex(of: ":"),
                let host = Self.host(authority[..<colon])
            else {
                throw ConfigurationError("'\(text)' is not of the form http://host:port.")
            }
            let digits = authority[authority.index(after: colon)...]
            guard digits.utf8.allSatisfy({ 48...57 ~= $0 }), let port = Int(digits),
                1...65535 ~= port
            else {
                throw ConfigurationError("'\(text)' has no port between 1 and 65535.")
            }
            self.init(host: host, port: port)
        }

        package var description: String {
            host.contains(":") ? "http://[\(host)]:\(port)" : "http://\(host):\(port)"
        }

        /// What to bind: `localhost` means the IPv4 loopback, which etcd's clients dial by default.
        package var bindHost: String { host == "localhost" ? "127.0.0.1" : host }

        /// Whether it stands for every address of the machine and so names none.
        package var isWildcard: Bool { host == "0.0.0.0" || host == "::" }

        package static func < (left: URL, right: URL) -> Bool {
            (left.host, left.port) < (right.host, right.port)
        }

        /// The host of an authority, or nil where its characters make no name or address.
        private static func host(_ text: Substring) -> String? {
            if text.hasPrefix("[") {
                guard text.hasSuffix("]") else { return nil }
                let address = text.dropFirst().dropLast()
                let isAddress = address.utf8.contains(UInt8(ascii: ":"))
                return isAddress && address.allSatisfy { $0.isHexDigit || ":.".contains($0) }
                    ? address.lowercased() : nil
            }
            let isName = text.utf8.allSatisfy { byte in
                switch byte {
                case 48...57, 65...90, 97...122: true
                case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
                default: false
                }
            }
            return isName && !text.isEmpty ? text.lowercased() : nil
        }
    }
}
