import NIOCore
import NIOHPACK

/// The headers of a request, as far as a server cares for them.
struct RequestHead {
    /// Why a request is not a gRPC request, with the HTTP status that says so.
    struct Refusal: Error {
        let httpStatus: String
        let status: Status
    }

    let path: String
    /// Nil when the client waits for ever.
    let timeout: TimeAmount?

    init(_ headers: HPACKHeaders) throws(Refusal) {
        var method = ""
        var path = ""
        var contentType = ""
        var timeout: String?
        for (name, value, _) in headers {
            switch name {
            case ":method": method = value
            case ":path": path = value
            case "content-type": contentType = value
            case "grpc-timeout": timeout = value
            default: break
            }
        }
        guard method == "POST" else {
            throw Refusal(
                httpStatus: "405",
                status: Status(
                    .internal, "http2Server: received a HEADERS frame with :method \"\(method)\""))
        }
        guard Self.isGRPC(contentType) else {
            throw Refusal(
                httpStatus: "415",
                status: Status(
                    .invalidArgument, "invalid gRPC request content-type \"\(contentType)\""))
        }
        self.path = path
        guard let timeout else {
            self.timeout = nil
            return
        }
        guard let parsed = TimeoutHeader.parse(timeout) else {
            throw Refusal(
                httpStatus: "400",
                status: Status(.internal, "malformed grpc-timeout: \"\(timeout)\""))
        }
        self.timeout = parsed
    }

    /// `application/grpc`, alone or followed by a message format or parameters.
    private static func isGRPC(_ contentType: String) -> Bool {
        let expected = "application/grpc"
        if contentType == expected { return true }
        let lowercased = contentType.lowercased()
        guard lowercased.hasPrefix(expected) else { return false }
        let following = lowercased.utf8.dropFirst(expected.utf8.count).first
        return following == nil || following == UInt8(ascii: "+")
            || following == UInt8(ascii: ";")
    }
}
