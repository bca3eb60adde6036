import Foundation

/// Why a test could not go on.
struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Asks every 20 ms until `probe` returns a value; throws after `limit`, naming `what` and the last
/// error of the probe.
@discardableResult
func eventually<Value>(
    _ what: String, within limit: Duration = .seconds(20),
    isolation: isolated (any Actor)? = #isolation, _ probe: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    var lastError: (any Error)?
    while true {
        do {
            if let value = try await probe() { return value }
            lastError = nil
        } catch {
            lastError = error
        }
        guard ContinuousClock.now < deadline else {
            let reason = lastError.map { ": \($0)" } ?? ""
            throw TestFailure("In \(limit) it did not happen that \(what)\(reason)")
        }
        try await Task.sleep(for: .milliseconds(20))
    }
}
