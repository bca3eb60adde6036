/// How far a log reaches, and how far it must: what is held against each other when it is opened.
package struct LogExtent: Sendable, Equatable {
    /// The sequence number of the last record that is there; 0 if there is none.
    package let lastRecord: UInt64
    /// That of the last record that was acknowledged, as far as the mark beside the log knows, which a
    /// power cut may take back to an earlier one.
    package let durableThrough: UInt64

    package init(lastRecord: UInt64, durableThrough: UInt64) {
        self.lastRecord = lastRecord
        self.durableThrough = durableThrough
    }

    /// Whether acknowledged records are gone.
    package var lacksAcknowledged: Bool { lastRecord < durableThrough }

    /// Throws ``StorageError/Kind/corrupt`` if acknowledged records are gone.
    ///
    /// - Parameter path: names the log in the error.
    package func refuseLoss(in path: @autoclosure () -> String) throws(StorageError) {
        guard lacksAcknowledged else { return }
        throw StorageError(
            .corrupt,
            """
            The log in \(path()) ends at record \(lastRecord) and had acknowledged \
            \(durableThrough): its last records are lost. \(Advice.replaceMember)
            """)
    }
}
