import ArgumentParser
import EtcdWire
import Foundation
import SynodClient

/// `synod status`: how the replicas are.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how each replica is.",
        discussion: """
            Every endpoint is asked by itself; the exit code tells whether all answered.

            The second table tells who proposes what clients write. PROPOSES: whether the replica
            leads, proposes what its own clients write, or forwards it to the leader. SLOTS: how many
            it may have under way. PROPOSED, FORWARDED: entries and batches of commands. CONFLICTS:
            commands that it proposed and that waited for others on the same keys. LOST: slots that
            it was granted and that came to nothing. SWITCHES: between proposing and forwarding. Of a
            leader, ACTIVE: replicas that proposed in the last five seconds; GRANTED: slots for others
            to propose in; ABANDONED: those in which nothing came.

            All these are counted since the replica has started. To see them over time, look again:
            watch synod status

            Examples:
              synod status
              synod status --endpoints 127.0.0.1:2379,127.0.0.1:22379 --output json
            """)

    @OptionGroup var options: ClientOptions

    func run() async throws {
        var table = Table(
            "ENDPOINT", "ID", "VERSION", "LEADS", "REVISION", "ROUND", "SLOT", "APPLIED", "STORED",
            "ERRORS")
        var proposers = Table(
            "ENDPOINT", "PROPOSES", "SLOTS", "PROPOSED", "FORWARDED", "CONFLICTS", "LOST",
            "SWITCHES", "ACTIVE", "GRANTED", "ABANDONED")
        var unreachable = 0
        try await options.withClient { client in
            for endpoint in client.endpoints {
                do {
                    let status = try await client.status(endpoint: endpoint)
                    switch options.output {
                    case .json: print(try Self.json(status, of: endpoint))
                    case .table:
                        table.add(status, of: endpoint)
                        if status.hasProposers { proposers.addProposer(status, of: endpoint) }
                    }
                } catch let error as ClientError {
                    unreachable += 1
                    Console.tell("\(endpoint): \(error)\n")
                }
            }
        }
        if options.output == .table {
            print(table.text)
            // A server of etcd's tells nothing of it.
            if !proposers.isEmpty { print("\n\(proposers.text)") }
        }
        if unreachable > 0 { throw ExitCode.failure }
    }

    /// One line for each endpoint.
    private static func json(_ status: EtcdStatusResponse, of endpoint: String) throws -> String {
        "{\"Endpoint\":\"\(endpoint)\",\"Status\":\(try ClientOptions.json(status))}"
    }
}

extension Table {
    fileprivate mutating func add(_ status: EtcdStatusResponse, of endpoint: String) {
        add(
            endpoint, String(status.header.memberID, radix: 16), status.version,
            status.leader == status.header.memberID ? "yes" : "no",
            "\(status.header.revision)", "\(status.raftTerm)", "\(status.raftIndex)",
            "\(status.raftAppliedIndex)", "\(status.dbSize)",
            status.errors.isEmpty ? "-" : status.errors.joined(separator: "; "))
    }

    fileprivate mutating func addProposer(_ status: EtcdStatusResponse, of endpoint: String) {
        let (proposer, leads) = (status.proposers, status.leader == status.header.memberID)
        add(
            endpoint, leads ? "leads" : proposer.isProposing ? "yes" : "no",
            "\(proposer.slotsAllowed)", "\(proposer.entriesProposed)",
            "\(proposer.batchesForwarded)", "\(proposer.commandsDelayed)",
            "\(proposer.slotsLost)", "\(proposer.switches)",
            leads ? "\(proposer.activeProposers)" : "-", "\(proposer.slotsGranted)",
            "\(proposer.slotsAbandoned)")
    }
}
