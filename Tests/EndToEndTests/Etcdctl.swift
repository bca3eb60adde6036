/// The real etcdctl, pointed at some endpoints.
struct Etcdctl {
    let endpoints: String

    /// Runs one command to its end, with `input` as its standard input.
    func run(_ arguments: String..., input: String = "") async throws -> Command.Result {
        guard let program = Programs.etcdctl else { throw TestFailure("etcdctl is not installed") }
        return try await Command.run(
            [program, "--endpoints", endpoints, "--command-timeout=10s"] + arguments,
            environment: ["ETCDCTL_API": "3"], input: input)
    }
}
