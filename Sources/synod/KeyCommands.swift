import ArgumentParser
import EtcdWire
import Foundation
import SwiftProtobuf
import SynodClient

/// `synod put`: writes one key.
struct PutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "put",
        abstract: "Write a key.",
        discussion: """
            Examples:
              synod put greeting hello
              synod put --prev-kv greeting hallo
              synod put config < config.json
            """)

    @Argument(help: "The key.")
    var key: String

    @Argument(help: "The value; without one it is read from the standard input.")
    var value: String?

    @Flag(help: "Print what the key was before.")
    var prevKv = false

    @OptionGroup var options: ClientOptions

    func run() async throws {
        let bytes =
            try value.map { Data($0.utf8) } ?? FileHandle.standardInput.readToEnd() ?? Data()
        let request = EtcdPutRequest.with {
            $0.key = Data(key.utf8)
            $0.value = bytes
            $0.prevKv = prevKv
        }
        let response = try await options.withClient { try await $0.put(request) }
        try options.show(response) { response in
            var table = response.hasPrevKv ? Table(of: [response.prevKv]) : Table()
            table.add("revision", "\(response.header.revision)")
            return table
        }
    }
}

/// `synod del`: deletes keys.
struct DeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "del",
        abstract: "Delete a key or a range of keys.",
        discussion: """
            Examples:
              synod del greeting
              synod del --prefix --prev-kv temporary/
            """)

    @OptionGroup var keys: KeyArguments

    @Flag(help: "Print what was deleted.")
    var prevKv = false

    @OptionGroup var options: ClientOptions

    func run() async throws {
        let request = EtcdDeleteRangeRequest.with {
            ($0.key, $0.rangeEnd) = keys.range
            $0.prevKv = prevKv
        }
        let response = try await options.withClient { try await $0.deleteRange(request) }
        try options.show(response) { response in
            var table = response.prevKvs.isEmpty ? Table() : Table(of: response.prevKvs)
            table.add("deleted", "\(response.deleted)")
            return table
        }
    }
}

extension Table {
    /// Keys with their values.
    init(of kvs: [EtcdKeyValue], keysOnly: Bool = false) {
        if keysOnly {
            self.init()
            for kv in kvs { add(printable(kv.key)) }
        } else {
            self.init("KEY", "VERSION", "CREATED", "MODIFIED", "VALUE")
            for kv in kvs {
                add(
                    printable(kv.key), "\(kv.version)", "\(kv.createRevision)",
                    "\(kv.modRevision)", printable(kv.value))
            }
        }
    }
}
