import ArgumentParser
import SynodAPI

/// What `synod version` and `--version` print.
enum Version {
    static let text = """
        synod 0.1.0
        etcd API \(EtcdVersion.server)
        """
}

/// `synod version`.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Print the version of synod and of the etcd interface that it serves.")

    func run() {
        print(Version.text)
    }
}
