package import SynodBytes

// Alarms: what they forbid, and how they are raised, disarmed and listed.
extension Keyspace {
    /// Answers an AlarmRequest whose action is GET: with the complete encoded AlarmResponse.
    package func alarms(_ request: ArraySlice<UInt8>, header: ResponseHeader)
        -> Result<Bytes, KeyspaceError>
    {
        do throws(MalformedBytes) {
            var writer = ByteWriter()
            writer.write(header, revision: committed.revision)
            writer.write(alarms(of: try AlarmRequest(request).kind))
            return .success(writer.bytes)
        } catch {
            return .failure(.malformed(error.reason))
        }
    }

    private func alarms(of kind: Alarm.Kind?) -> [Alarm] {
        state.alarms.filter { kind == nil || kind == $0.kind }
    }

    func checkAlarms(against command: Command) throws(KeyspaceError) {
        if case .alarm = command { return }
        try checkCorruption()
        if command.spaceCost > 0, state.alarms.contains(where: { $0.kind == .noSpace }) {
            throw .noSpace
        }
    }

    func checkCorruption() throws(KeyspaceError) {
        if state.alarms.contains(where: { $0.kind == .corrupt }) { throw .corrupt }
    }

    mutating func execute(
        _ request: AlarmRequest, header: ResponseHeader, into answer: inout AnswerWriter
    ) throws(KeyspaceError) {
        var affected: [Alarm] = []
        switch (request.action, request.kind) {
        case (.get, let kind):
            affected = alarms(of: kind)
        case (.activate, let kind?):
            let alarm = Alarm(memberID: request.memberID, kind: kind)
            if !state.alarms.contains(alarm) {
                guard state.alarms.count < Limits.alarms else { throw .tooManyRequests }
                state.alarms.append(alarm)
                state.alarms.sort()
            }
            affected = [alarm]
        case (.deactivate, let kind?):
            let alarm = Alarm(memberID: request.memberID, kind: kind)
            if let position = state.alarms.firstIndex(of: alarm) {
                affected = [state.alarms.remove(at: position)]
            }
        case (.activate, nil), (.deactivate, nil), (nil, _): break
        }
        answer.write {
            $0.write(header, revision: view.revision)
            $0.write(affected)
        }
    }
}

extension ByteWriter {
    /// Writes an AlarmResponse's field 2.
    fileprivate mutating func write(_ alarms: [Alarm]) {
        for alarm in alarms {
            let message = beginMessage(2)
            writeField(1, alarm.memberID)
            writeField(2, Int64(alarm.kind.rawValue))
            endMessage(message)
        }
    }
}
