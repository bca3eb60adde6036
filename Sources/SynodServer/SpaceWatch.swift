import Logging
import SynodDisk
import SynodNode
import SynodPaxos

/// Looks at the volume of the data directory once a second and tells the node when its space runs
/// out, so that clients' writes are refused with a clear error while there is still room for what
/// the cluster needs to go on.
final class SpaceWatch: Sendable {
    private static let interval = Interval.milliseconds(1000)

    private let directory: DataDirectory
    private let replica: ReplicaLoop
    private let logger: Logger
    private let end = Mailbox<Void>(capacity: 1)

    init(directory: DataDirectory, replica: ReplicaLoop, logger: Logger) {
        self.directory = directory
        self.replica = replica
        self.logger = logger
    }

    func start() {
        Platform.startThread("synod-space") { [self] in run() }
    }

    func stop() {
        end.close()
    }

    private func run() {
        var wasLow = false
        var nothing: [Void] = []
        repeat {
            guard let space = try? directory.space() else { continue }
            let isLow = space.free < Self.reserve(of: space.total)
            if isLow != wasLow {
                wasLow = isLow
                if isLow {
                    logger.error(
                        "the disk is nearly full: writes are refused until there is more space",
                        metadata: ["free": "\(space.free)"])
                } else {
                    logger.notice("the disk has space again")
                }
                replica.post(.spaceChanged(isLow: isLow))
            }
        } while end.take(into: &nothing, until: Platform.now() + Self.interval)
    }

    /// A fiftieth of the volume, between 32 and 256 MiB: at least a spare segment of the log and a
    /// write buffer of the state.
    private static func reserve(of total: UInt64) -> UInt64 {
        min(max(total / 50, 32 << 20), 256 << 20)
    }
}
