import EtcdWire
import Foundation
import SwiftProtobuf
import SynodClient

/// Runs `body` with a client of exactly these replicas.
@discardableResult
func withClient<Result>(
    _ replicas: Replica..., timeout: Duration = .seconds(7),
    isolation: isolated (any Actor)? = #isolation, _ body: (SynodClient) async throws -> Result
) async throws -> Result {
    var configuration = ClientConfiguration()
    configuration.callTimeout = timeout
    let client = try SynodClient(
        endpoints: replicas.map(\.endpoint), configuration: configuration)
    do {
        let result = try await body(client)
        await client.close()
        return result
    } catch {
        await client.close()
        throw error
    }
}

extension EtcdRangeRequest {
    static func key(_ key: String, serializable: Bool = false) -> Self {
        with {
            $0.key = Data(key.utf8)
            $0.serializable = serializable
        }
    }

    /// All keys from `first` on that are smaller than `end`.
    static func keys(from first: String, to end: String, serializable: Bool = false) -> Self {
        with {
            $0.key = Data(first.utf8)
            $0.rangeEnd = Data(end.utf8)
            $0.serializable = serializable
        }
    }
}

extension EtcdPutRequest {
    static func pair(_ key: String, _ value: String) -> Self {
        with {
            $0.key = Data(key.utf8)
            $0.value = Data(value.utf8)
        }
    }
}
