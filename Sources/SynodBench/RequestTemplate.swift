import EtcdWire
import Foundation
import SwiftProtobuf

/// A request that is encoded once; each operation copies it and writes its key's digits over the
/// placeholder, so that making load costs the machine little beside serving it.
package struct RequestTemplate {
    /// Keys have eight digits.
    package static let mostKeys = 100_000_000

    private static let placeholder = Data("key/########".utf8)
    private static let digits = 8

    package let path: String
    private let bytes: [UInt8]
    /// Where the digits of each occurrence of the key begin.
    private let digitOffsets: [Int]

    private init(path: String, _ request: some Message) throws {
        self.path = path
        let bytes: [UInt8] = try request.serializedBytes()
        let placeholder = Array(Self.placeholder)
        self.bytes = bytes
        digitOffsets = bytes.indices.filter { bytes[$0...].starts(with: placeholder) }
            .map { $0 + placeholder.count - Self.digits }
    }

    /// The request for one key, `number` being less than ``mostKeys``.
    package func request(key number: Int) -> [UInt8] {
        var request = bytes
        for offset in digitOffsets {
            var rest = number
            for position in (offset..<offset + Self.digits).reversed() {
                request[position] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
        }
        return request
    }

    package static func put(valueBytes: Int) throws -> RequestTemplate {
        try RequestTemplate(path: "/etcdserverpb.KV/Put", put(placeholder, valueBytes))
    }

    package static func hotPut(valueBytes: Int) throws -> RequestTemplate {
        try RequestTemplate(path: "/etcdserverpb.KV/Put", put(Data("hot".utf8), valueBytes))
    }

    package static func range(serializable: Bool) throws -> RequestTemplate {
        var request = EtcdRangeRequest()
        request.key = placeholder
        request.serializable = serializable
        return try RequestTemplate(path: "/etcdserverpb.KV/Range", request)
    }

    package static func delete() throws -> RequestTemplate {
        var request = EtcdDeleteRangeRequest()
        request.key = placeholder
        return try RequestTemplate(path: "/etcdserverpb.KV/DeleteRange", request)
    }

    /// If the key was ever created or not: put it and a second one.
    package static func transaction(valueBytes: Int) throws -> RequestTemplate {
        var compare = EtcdCompare()
        compare.key = placeholder
        compare.target = .create
        compare.result = .greater
        compare.createRevision = -1
        let puts = [put(placeholder, valueBytes), put(placeholder + Data("/b".utf8), valueBytes)]
        var read = EtcdRequestOp()
        read.requestRange.key = placeholder
        var request = EtcdTxnRequest()
        request.compare = [compare]
        request.success = puts.map { put in
            var operation = EtcdRequestOp()
            operation.requestPut = put
            return operation
        }
        request.failure = [read]
        return try RequestTemplate(path: "/etcdserverpb.KV/Txn", request)
    }

    private static func put(_ key: Data, _ valueBytes: Int) -> EtcdPutRequest {
        var request = EtcdPutRequest()
        request.key = key
        request.value = Data(repeating: UInt8(ascii: "v"), count: valueBytes)
        return request
    }
}
