import EtcdWire
import SwiftProtobuf
import SynodBytes
import SynodNode
import SynodPaxos

/// How the replica's answer becomes the client's response.
enum ResponseKind: Sendable {
    /// The replica encodes it.
    case asAnswered
    case status
    case memberList
    /// A list of all alarms, of which the client wants one kind.
    case alarms(EtcdAlarmType)
}

/// Makes the responses that the replica does not encode itself.
struct ResponseMaker: Sendable {
    let configuration: APIConfiguration

    /// `raft` in a name of etcd's means the consensus protocol: the term is the round of the
    /// ballot, an index a slot.
    func status(_ status: ReplicaStatus) -> Bytes {
        var response = EtcdStatusResponse()
        response.header = header(status)
        response.header.revision = status.revision
        response.version = EtcdVersion.server
        response.storageVersion = EtcdVersion.storage
        response.dbSize = Int64(clamping: status.storedBytes)
        response.dbSizeInUse = Int64(clamping: status.usedBytes)
        response.dbSizeQuota = Int64(clamping: status.quotaBytes)
        response.leader = status.leader
        response.raftTerm = status.round
        response.raftIndex = status.chosenThrough
        response.raftAppliedIndex = status.appliedThrough
        response.errors = status.errors
        response.downgradeInfo = EtcdDowngradeInfo()
        response.proposers = proposers(status.proposers)
        return response.encoded
    }

    private func proposers(_ counters: ProposerCounters) -> SynodProposerStatus {
        var status = SynodProposerStatus()
        status.isProposing = counters.isProposing
        status.slotsAllowed = counters.slotsAllowed
        status.entriesProposed = counters.entriesProposed
        status.batchesForwarded = counters.batchesForwarded
        status.commandsDelayed = counters.commandsDelayed
        status.slotsLost = counters.slotsLost
        status.switches = counters.switches
        status.slotsGranted = counters.slotsGranted
        status.slotsAbandoned = counters.slotsAbandoned
        status.activeProposers = counters.activeProposers
        return status
    }

    /// The header of the cluster service tells no revision.
    func memberList(_ status: ReplicaStatus, _ profiles: [MemberProfile]) -> Bytes {
        var response = EtcdMemberListResponse()
        response.header = header(status)
        response.members = configuration.members.map { member in
            var entry = EtcdMember()
            entry.id = member.id
            entry.name = member.name
            entry.peerUrls = member.peerURLs
            entry.clientUrls = profiles.first { $0.member == member.id }?.clientURLs ?? []
            return entry
        }
        return response.encoded
    }

    /// Leaves one kind of alarm in an encoded AlarmResponse.
    func alarms(_ encoded: Bytes, of kind: EtcdAlarmType) -> Bytes {
        guard var response = try? EtcdAlarmResponse(serializedBytes: encoded) else {
            preconditionFailure("The replica answers with a well-formed AlarmResponse.")
        }
        response.alarms.removeAll { $0.alarm != kind }
        return response.encoded
    }

    private func header(_ status: ReplicaStatus) -> EtcdResponseHeader {
        var header = EtcdResponseHeader()
        header.clusterID = configuration.clusterID
        header.memberID = configuration.memberID
        header.raftTerm = status.round
        return header
    }
}
