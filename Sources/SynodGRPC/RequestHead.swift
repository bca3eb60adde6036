package import NIOCore

/// The headers of a request, as far as a server cares for them. Of a field that comes twice the
/// last one counts.
///
/// What a call needs of its headers is checked where it is used, so that an odd header costs its
/// own call at most, and the client gets a status that tells what is wrong.
package struct RequestHead {
    /// Why a request is not a gRPC request, with the HTTP status that says so.
    package struct Refusal: Error {
        package let httpStatus: HTTPStatus
        package let status: Status
    }

    private var method = RequestField.otherMethod("")
    private var contentType = RequestField.otherContent("")
    private var path = RequestField.unknownPath("")
    private var timeoutField = RequestField.other

    init() {}

    mutating func add(_ field: RequestField) {
        switch field {
        case .other: break
        case .post, .otherMethod: method = field
        case .path, .unknownPath: path = field
        case .grpcContent, .otherContent: contentType = field
        case .timeout, .malformedTimeout: timeoutField = field
        }
    }

    /// Nil when the client waits for ever.
    package var timeout: TimeAmount? {
        if case .timeout(let timeout) = timeoutField { timeout } else { nil }
    }

    /// The method that the request calls, provided that it is a request of gRPC.
    package func method(of methods: MethodTable) throws(Refusal) -> MethodIndex {
        if case .otherMethod(let text) = method {
            throw Refusal(
                httpStatus: .methodNotAllowed,
                status: Status(
                    .internal, "http2Server: received a HEADERS frame with :method \"\(text)\""))
        }
        if case .otherContent(let text) = contentType {
            throw Refusal(
                httpStatus: .unsupportedMediaType,
                status: Status(.invalidArgument, "invalid gRPC request content-type \"\(text)\""))
        }
        if case .malformedTimeout(let text) = timeoutField {
            throw Refusal(
                httpStatus: .badRequest,
                status: Status(.internal, "malformed grpc-timeout: \"\(text)\""))
        }
        switch path {
        case .path(let index):
            return index
        case .unknownPath(let text):
            throw Refusal(httpStatus: .ok, status: methods.refusal(path: text))
        case .post, .otherMethod, .grpcContent, .otherContent, .timeout, .malformedTimeout, .other:
            preconditionFailure("Only paths are kept as the path.")
        }
    }
}
