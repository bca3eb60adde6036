import ArgumentParser
import EtcdWire
import Foundation
import SwiftProtobuf
import SynodClient

/// `synod get`: reads keys.
struct GetCommand: AsyncParsableCommand {
    enum SortKey: String, ExpressibleByArgument, CaseIterable {
        case key, version, create, modify, value
    }

    enum Order: String, ExpressibleByArgument, CaseIterable {
        case ascend, descend
    }

    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Read a key or a range of keys.",
        discussion: """
            Examples:
              synod get greeting
              synod get --prefix users/ --limit 10 --sort-by modify --order descend
              synod get --from-key m --keys-only
              synod get greeting --rev 5 --output json
            """)

    @OptionGroup var keys: KeyArguments

    @Option(help: "At most so many keys; 0: all.")
    var limit: Int64 = 0

    @Option(help: "As it was at this revision; 0: now.")
    var rev: Int64 = 0

    @Option(help: "What to sort by.")
    var sortBy = SortKey.key

    @Option(help: "Which end to begin with.")
    var order = Order.ascend

    @Flag(help: "Leave out the values.")
    var keysOnly = false

    @Flag(help: "Only tell how many keys there are.")
    var countOnly = false

    @Flag(help: "Accept what the asked replica knows, which may be old.")
    var serializable = false

    @OptionGroup var options: ClientOptions

    func run() async throws {
        let request = EtcdRangeRequest.with {
            ($0.key, $0.rangeEnd) = keys.range
            $0.limit = limit
            $0.revision = rev
            $0.sortOrder = order == .ascend ? .ascend : .descend
            $0.sortTarget = sortTarget
            $0.keysOnly = keysOnly
            $0.countOnly = countOnly
            $0.serializable = serializable
        }
        let response = try await options.withClient { try await $0.range(request) }
        try options.show(response) { response in
            var table = countOnly ? Table() : Table(of: response.kvs, keysOnly: keysOnly)
            if countOnly { table.add("count", "\(response.count)") }
            if response.more {
                table.add("(\(response.kvs.count) of \(response.count) keys)")
            }
            return table
        }
    }

    private var sortTarget: EtcdRangeRequest.SortTarget {
        switch sortBy {
        case .key: .key
        case .version: .version
        case .create: .create
        case .modify: .mod
        case .value: .value
        }
    }
}
