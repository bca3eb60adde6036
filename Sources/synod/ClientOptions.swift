import ArgumentParser
import Foundation
import SwiftProtobuf
import SynodClient

/// What every client command takes.
struct ClientOptions: ParsableArguments {
    enum Output: String, ExpressibleByArgument, CaseIterable {
        case table, json
    }

    @Option(help: ArgumentHelp("Replicas to ask, host:port, in turn.", valueName: "list"))
    var endpoints = "127.0.0.1:2379"

    @Option(help: "How to print the answer.")
    var output = Output.table

    @Option(help: ArgumentHelp("How long to wait for the answer.", valueName: "seconds"))
    var commandTimeout = 5.0

    func validate() throws {
        guard commandTimeout > 0, commandTimeout <= 86_400 else {
            throw ValidationError("--command-timeout is between 0 and 86400 seconds.")
        }
    }

    /// Runs `body` with a client of the endpoints.
    func withClient<Result>(_ body: (SynodClient) async throws -> Result) async throws -> Result {
        var configuration = ClientConfiguration()
        configuration.callTimeout = .seconds(commandTimeout)
        let client = try SynodClient(
            endpoints: endpoints.split(separator: ",").map(String.init),
            configuration: configuration)
        do {
            let result = try await body(client)
            await client.close()
            return result
        } catch {
            await client.close()
            throw error
        }
    }

    /// Prints a response in the JSON of etcd's gateway, or as a table.
    func show<Response: Message>(
        _ response: Response, as table: (Response) -> Table
    ) throws {
        switch output {
        case .table: print(table(response).text)
        case .json: print(try Self.json(response))
        }
    }

    static func json(_ response: some Message) throws -> String {
        var options = JSONEncodingOptions()
        options.preserveProtoFieldNames = true
        return try response.jsonString(options: options)
    }
}
