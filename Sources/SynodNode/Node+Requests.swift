import DequeModule
import SynodBytes
import SynodKeyspace
import SynodPaxos
import SynodStorage

/// Clients' requests and their answers.
extension Node {
    mutating func requested(
        _ request: ClientRequest, _ now: Instant, _ output: inout NodeOutput
    ) throws(StorageError) {
        let token = request.token
        let deadline = now + configuration.requestTimeout
        if replica.lacksState {
            if case .status = request.body {
            } else {
                return output.answer(token, .failure(.stateMissing))
            }
        }
        switch request.body {
        case .write(let payload, let footprint, let isCertain, let spaceCost):
            if let refusal = reasonToRefuse(costing: spaceCost) {
                return output.answer(token, .failure(refusal))
            }
            let sequence = writes.append(token, deadline: deadline)
            inputs.append(
                .submitted(
                    SynodPaxos.Command(
                        id: CommandID(origin: configuration.identity, sequence: sequence),
                        // While there are alarms, any write may be refused.
                        footprint: footprint, isCertain: isCertain && keyspace.alarms.isEmpty,
                        payload: payload), deadline: deadline))
        case .range(_, let scope), .readTransaction(_, let scope), .members(let scope):
            guard let scope else { return try answer(request.body, token, &output) }
            guard reads.count < NodeLimits.pendingReads,
                reads.bytes < NodeLimits.pendingReadBytes, replica.hasRoomForReads
            else {
                return output.answer(token, .failure(.tooManyRequests))
            }
            let read = reads.append(
                PendingRead(token: token, body: request.body), bytes: request.body.readBytes,
                deadline: deadline)
            inputs.append(.readRequested(Read(ReadID(read), scope, deadline: deadline)))
        case .status, .alarms, .hash, .hashKV:
            try answer(request.body, token, &output)
        }
    }

    /// Runs reads whose turn has come until their answers are many bytes: what is left is for the
    /// next step, so that peers and other clients are heard in between.
    mutating func runReads(
        until most: Int = NodeLimits.readBudget, _ output: inout NodeOutput
    ) throws(StorageError) {
        var bytes = 0
        while bytes < most, let read = runnable.popFirst() {
            guard let pending = reads.remove(read.id.rawValue) else { continue }
            try answer(
                pending.body, pending.token, at: order.revisionAhead(in: read.through), &output)
            if case .message(let message)? = output.answers.last?.content { bytes += message.count }
        }
    }

    private func reasonToRefuse(costing spaceCost: UInt64) -> RequestFailure? {
        guard replica.hasRoom, writes.count < SynodPaxos.Limits.pendingCommands else {
            return .tooManyRequests
        }
        guard spaceCost > 0 else { return nil }
        if isSpaceLow { return .noSpace }
        if let quota = configuration.quotaBytes, storedBytes + spaceCost >= quota {
            return .noSpace
        }
        return nil
    }

    /// Runs a read on the state as it is now.
    /// - Parameter revision: ahead of the prefix, of a range; nil: that of the prefix.
    mutating func answer(
        _ body: ClientRequest.Body, _ token: RequestToken, at revision: Int64? = nil,
        _ output: inout NodeOutput
    ) throws(StorageError) {
        let header = responseHeader
        switch body {
        case .range(let request, _):
            output.answer(
                token, try keyspace.range(request[...], ahead: revision, header: header))
        case .readTransaction(let request, _):
            output.answer(token, try keyspace.readTransaction(request[...], header: header))
        case .alarms:
            output.answer(token, keyspace.alarms([], header: header))
        case .hash:
            output.answer(token, .message(try keyspace.hash(header: header)))
        case .hashKV(let revision):
            output.answer(token, try keyspace.hashKV(revision: revision, header: header))
        case .status: output.answer(token, .status(status))
        case .members: output.answer(token, .members(status, roster.profiles))
        case .write: preconditionFailure("A write is executed when it is chosen.")
        }
    }

    var responseHeader: ResponseHeader {
        ResponseHeader(
            clusterID: configuration.cluster, memberID: configuration.identity.rawValue,
            raftTerm: replica.round)
    }
}

extension NodeOutput {
    mutating func answer(_ token: RequestToken, _ result: Result<Bytes, KeyspaceError>) {
        switch result {
        case .success(let response): answer(token, .message(response))
        case .failure(let error): answer(token, .failure(RequestFailure(error)))
        }
    }
}

extension RequestFailure {
    /// gRPC's code numbers of the failures that a node itself answers with, as etcd uses them.
    private enum Code {
        static let resourceExhausted: UInt8 = 8
        static let unavailable: UInt8 = 14
    }

    package static let tooManyRequests = RequestFailure(
        code: Code.resourceExhausted, message: "etcdserver: too many requests")
    package static let timedOut = RequestFailure(
        code: Code.unavailable, message: "etcdserver: request timed out")
    /// Another member can serve the client.
    package static let stateMissing = RequestFailure(
        code: Code.unavailable,
        message: "this member has lost its state and fetches it from another one")
    package static let noSpace = RequestFailure(
        code: Code.resourceExhausted, message: "etcdserver: mvcc: database space exceeded")

    init(_ error: KeyspaceError) {
        self.init(code: error.code, message: error.message)
    }
}
