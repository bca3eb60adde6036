/// Sentences that several errors end with.
package enum Advice {
    package static let replaceMember = """
        The data cannot be trusted: keep the directory for examination, remove this member from \
        the cluster and add it again with an empty data directory.
        """
    /// The log is whole: what was promised and accepted is all there.
    package static let fetchState = """
        The state cannot be trusted: move its directory away, for examination, and start again; \
        this member then fetches a state from the others.
        """
    package static let freeSpace = "Free some space on the volume, then start again."
    package static let checkDisk = "Check the disk and the kernel's messages, then start again."
}
