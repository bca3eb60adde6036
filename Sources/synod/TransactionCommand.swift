import ArgumentParser
import EtcdWire
import Foundation
import SwiftProtobuf
import SynodClient

/// `synod txn`: a transaction read from the standard input.
struct TransactionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "txn",
        abstract: "Carry out a transaction read from the standard input.",
        discussion: """
            Three parts with an empty line behind each: comparisons, what to do if all of them \
            hold, and what to do otherwise. Later parts may be left out. One line is one of

              value("KEY") = "VALUE"     also version, create, mod, lease, and !=, <, >
              put KEY VALUE
              get KEY [RANGE-END]
              del KEY [RANGE-END]

            Words may be quoted with ", within which \\\\, \\", \\n, \\t and \\xNN have their usual meaning.

            Example:
              printf 'version("lock") = "0"\\n\\nput lock me\\n\\nget lock\\n' | synod txn
            """)

    @OptionGroup var options: ClientOptions

    func run() async throws {
        let input = try FileHandle.standardInput.readToEnd() ?? Data()
        let request = try TransactionScript.request(String(decoding: input, as: UTF8.self))
        let response = try await options.withClient { try await $0.txn(request) }
        try options.show(response) { response in
            var table = Table()
            table.add(response.succeeded ? "the comparisons hold" : "a comparison fails")
            for part in response.responses { table.add(Self.describe(part)) }
            table.add("revision \(response.header.revision)")
            return table
        }
    }

    private static func describe(_ part: EtcdResponseOp) -> String {
        switch part.response {
        case .responsePut?: "put"
        case .responseDeleteRange(let answer)?: "deleted \(answer.deleted)"
        case .responseRange(let answer)?:
            answer.kvs.isEmpty ? "no key" : Table(of: answer.kvs).text
        case .responseTxn?, nil: "done"
        }
    }
}
