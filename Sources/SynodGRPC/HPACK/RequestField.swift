import NIOCore

/// The names of header fields that mean something to a server of gRPC.
enum FieldName {
    case method
    case path
    case contentType
    case timeout
    case other

    init(_ name: ArraySlice<UInt8>) {
        if name.elementsEqual(":path".utf8) {
            self = .path
        } else if name.elementsEqual("grpc-timeout".utf8) {
            self = .timeout
        } else if name.elementsEqual("content-type".utf8) {
            self = .contentType
        } else if name.elementsEqual(":method".utf8) {
            self = .method
        } else {
            self = .other
        }
    }
}

/// What a header field says to a server of gRPC. A field is interpreted once, when its text comes;
/// the tables of HPACK keep this instead of the text, so that a repeated field costs no text.
enum RequestField {
    case post
    case otherMethod(String)
    case path(MethodIndex)
    case unknownPath(String)
    case grpcContent
    case otherContent(String)
    case timeout(TimeAmount)
    case malformedTimeout(String)
    /// Nothing that we ask for.
    case other

    init(_ name: FieldName, value: ArraySlice<UInt8>, methods: MethodTable) {
        guard name != .other else {
            self = .other
            return
        }
        let text = String(decoding: value, as: UTF8.self)
        switch name {
        case .method:
            self = text == "POST" ? .post : .otherMethod(text)
        case .path:
            self = methods.index(path: text).map(RequestField.path) ?? .unknownPath(text)
        case .contentType:
            self = Self.isGRPC(text) ? .grpcContent : .otherContent(text)
        case .timeout:
            self = TimeoutHeader.parse(text).map(RequestField.timeout) ?? .malformedTimeout(text)
        case .other:
            self = .other
        }
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
