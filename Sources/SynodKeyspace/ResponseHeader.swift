import SynodBytes

/// The part of an answer's header that the keyspace does not know: who answers, and in which term.
package struct ResponseHeader: Hashable, Sendable {
    package var clusterID: UInt64
    package var memberID: UInt64
    package var raftTerm: UInt64

    package init(clusterID: UInt64, memberID: UInt64, raftTerm: UInt64) {
        self.clusterID = clusterID
        self.memberID = memberID
        self.raftTerm = raftTerm
    }

    /// The header of an answer inside a transaction's answer, which tells a revision at most.
    static let inner = ResponseHeader(clusterID: 0, memberID: 0, raftTerm: 0)
}

extension ByteWriter {
    /// Writes a response's field 1.
    mutating func write(_ header: ResponseHeader, revision: Int64) {
        let message = beginMessage(1)
        writeField(1, header.clusterID)
        writeField(2, header.memberID)
        writeField(3, revision)
        writeField(4, header.raftTerm)
        endMessage(message)
    }
}
