import SynodSimulation

/// The end of a run's transcript, for a run that failed while nobody listened. The run is made again,
/// because that is exact and costs a run that succeeds nothing.
enum TranscriptEnd {
    static func lines(of options: RunOptions, atMost count: Int = 40) -> [String] {
        var lines: [String] = []
        lines.reserveCapacity(2 * count)
        let again = Simulation(
            options,
            tell: { line in
                if lines.count == 2 * count { lines.removeFirst(count) }
                lines.append(line)
            }, isInterrupted: { Interruption.hasCome })
        _ = again.execute()
        return lines.suffix(count)
    }
}
