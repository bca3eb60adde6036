import NIOCore

/// Frames on their way in, each judged by the rules of RFC 9113, section 6.
extension ServerConnection {
    func received(_ frame: Frame) throws(ConnectionError) {
        if openBlock != nil {
            try continueBlock(frame)
            return
        }
        guard hasSettings || frame.header.kind == .settings else {
            throw ConnectionError(.protocolError, "the first frame is not SETTINGS")
        }
        switch frame.header.kind {
        case .data: try receivedData(frame)
        case .headers: try receivedHeaders(frame)
        case .windowUpdate: try receivedWindowUpdate(frame)
        case .ping: try receivedPing(frame)
        case .settings: try receivedSettings(frame)
        case .resetStream: try receivedReset(frame)
        case .priority:
            // Priorities are a thing of the past (section 5.3.2).
            try expect(frame, length: 5, onStream: true)
        case .goAway:
            // The client opens no more streams, and will close the connection.
            guard frame.payload.readableBytes >= 8 else { throw .frameSize }
            guard frame.header.streamID == .connection else { throw .wrongStream }
        case .pushPromise:
            throw ConnectionError(.protocolError, "a client does not push")
        case .continuation:
            throw ConnectionError(.protocolError, "CONTINUATION continues nothing")
        case nil:
            break
        }
    }

    /// Whether no frame has begun a stream yet. The numbers of servers' streams never begin one,
    /// since we push nothing (section 5.1.1).
    private func isIdle(_ streamID: StreamID) -> Bool {
        streamID > lastStreamID || !streamID.isOfClient
    }

    private func expect(
        _ frame: Frame, length: Int, onStream: Bool
    ) throws(ConnectionError) {
        guard frame.payload.readableBytes == length else { throw .frameSize }
        guard (frame.header.streamID != .connection) == onStream else { throw .wrongStream }
    }

    private func countNuisance(
        _ kind: Nuisances.Kind, weight: Int = 1
    ) throws(ConnectionError) {
        try nuisances.count(kind, weight: weight, now: eventLoop.now)
    }

    /// Ends a stream whose client broke a rule that concerns no other (section 5.4.2).
    func streamError(_ streamID: StreamID, _ code: ErrorCode) throws(ConnectionError) {
        try countNuisance(.streamError)
        output.writable.writeReset(streamID, code)
        guard let id = callIDs[streamID] else {
            recentResets.insert(streamID)
            return
        }
        if !calls[id].clientIsDone { recentResets.insert(streamID) }
        removeCall(id)
    }
}

// MARK: - Frames of streams

extension ServerConnection {
    private func receivedData(_ frame: Frame) throws(ConnectionError) {
        let streamID = frame.header.streamID
        guard !isIdle(streamID) else { throw .wrongStream }
        // Padding counts as well, and so does what comes too late (section 6.9).
        let size = frame.payload.readableBytes
        if let increment = received.add(size, window: connectionWindow) {
            output.writable.writeWindowUpdate(.connection, by: increment)
        }
        let endStream = frame.header.flags.contains(.endStream)
        if size == 0, !endStream { try countNuisance(.emptyData) }
        var frame = frame
        try frame.removePadding()
        guard let id = callIDs[streamID] else {
            if !recentResets.contains(streamID) { try streamError(streamID, .streamClosed) }
            return
        }
        guard !calls[id].clientIsDone else {
            try streamError(streamID, .streamClosed)
            return
        }
        if let increment = calls[id].received.add(size, window: streamWindow), !endStream,
            calls[id].phase == .receiving
        {
            output.writable.writeWindowUpdate(streamID, by: increment)
        }
        receivedBody(frame.payload, endStream: endStream, of: id)
    }

    private func receivedHeaders(_ frame: Frame) throws(ConnectionError) {
        guard frame.header.streamID.isOfClient else { throw .wrongStream }
        var frame = frame
        try frame.removePadding()
        let block = HeaderBlock(frame)
        if block.isComplete { try receivedBlock(block) } else { openBlock = block }
    }

    private func continueBlock(_ frame: Frame) throws(ConnectionError) {
        // Encoded text may be longer than the text, but not by much.
        try openBlock?.append(frame, limit: 2 * limits.headerListBytes)
        if let block = openBlock, block.isComplete {
            openBlock = nil
            try receivedBlock(block)
        }
    }

    /// Every block is decoded, wanted or not, because those that follow depend on it.
    private func receivedBlock(_ block: HeaderBlock) throws(ConnectionError) {
        let head = try decoder.decode(block.bytes)
        let streamID = block.streamID
        if streamID > lastStreamID {
            lastStreamID = streamID
            guard calls.count < limits.streamsPerConnection else {
                try streamError(streamID, .refusedStream)
                return
            }
            receivedRequest(head, on: streamID, endStream: block.endStream)
        } else if let id = callIDs[streamID] {
            try receivedTrailers(of: id, endStream: block.endStream)
        } else if !recentResets.contains(streamID) {
            throw ConnectionError(.streamClosed, "HEADERS on a stream that has ended")
        }
    }

    /// A client's trailers say no more than that it is done (section 8.1).
    private func receivedTrailers(of id: CallID, endStream: Bool) throws(ConnectionError) {
        if calls[id].clientIsDone {
            try streamError(calls[id].streamID, .streamClosed)
        } else if endStream {
            clientIsDone(id)
        } else {
            try streamError(calls[id].streamID, .protocolError)
        }
    }

    private func receivedReset(_ frame: Frame) throws(ConnectionError) {
        try expect(frame, length: 4, onStream: true)
        guard !isIdle(frame.header.streamID) else { throw .wrongStream }
        try countNuisance(.reset)
        if let id = callIDs[frame.header.streamID] { removeCall(id) }
    }
}

// MARK: - Frames of the connection

extension ServerConnection {
    private func receivedWindowUpdate(_ frame: Frame) throws(ConnectionError) {
        let streamID = frame.header.streamID
        guard let value = frame.payload.getInteger(at: frame.payload.readerIndex, as: UInt32.self),
            frame.payload.readableBytes == 4
        else {
            throw .frameSize
        }
        let increment = Int(value & 0x7fff_ffff)
        guard streamID != .connection else {
            guard increment > 0 else { throw .noIncrement }
            try flow.widenConnection(by: increment)
            return
        }
        guard !isIdle(streamID) else { throw .wrongStream }
        guard increment > 0 else {
            // Of a stream that has ended there is nothing left to end.
            if callIDs[streamID] != nil { try streamError(streamID, .protocolError) }
            return
        }
        guard let id = callIDs[streamID] else { return }
        guard flow.widen(&calls[id].window, by: increment) else {
            try streamError(streamID, .flowControl)
            return
        }
        resumeIfPossible(id)
    }

    private func receivedPing(_ frame: Frame) throws(ConnectionError) {
        try expect(frame, length: 8, onStream: false)
        try countNuisance(.ping)
        guard !frame.header.flags.contains(.acknowledgement) else { return }
        output.writable.writePingAcknowledgement(frame.payload)
    }

    private func receivedSettings(_ frame: Frame) throws(ConnectionError) {
        guard frame.header.streamID == .connection else { throw .wrongStream }
        if frame.header.flags.contains(.acknowledgement) {
            try expect(frame, length: 0, onStream: false)
            guard hasSettings else {
                throw ConnectionError(.protocolError, "the first frame is not SETTINGS")
            }
            try countNuisance(.settings)
            return
        }
        let settings = try PeerSettings(frame.payload)
        // A change of the windows looks at every call that waits for its own.
        try countNuisance(.settings, weight: 1 + waiting.count / 64)
        if !hasSettings {
            hasSettings = true
            stopPrefaceTimeout()
            introduce()
        }
        if let size = settings.headerTableSize { encoder.peerAllows(tableSize: size) }
        if let window = settings.initialWindow {
            let calls = calls
            try flow.setInitial(window) { calls.handles.map { calls[$0].window } }
            for slot in waiting.slots { resumeIfPossible(calls.handle(at: slot)) }
        }
        output.writable.writeSettingsAcknowledgement()
    }
}

extension ConnectionError {
    fileprivate static let wrongStream = ConnectionError(
        .protocolError, "a frame on a stream where it must not be")
    fileprivate static let noIncrement = ConnectionError(
        .protocolError, "WINDOW_UPDATE without an increment")
}
