/// What is answered to whom: the paths, and what is found there.
struct MetricsResponder: Sendable {
    struct Request: Sendable {
        let method: String
        /// As it stands in the request: a path, and perhaps a query.
        let target: String
    }

    struct Answer: Sendable {
        /// HTTP's number.
        let status: Int
        let contentType: String
        let body: String

        /// A refusal; the sentence tells the one who asks what to do instead.
        static func refusal(_ status: Int, _ sentence: String) -> Answer {
            Answer(
                status: status, contentType: "text/plain; charset=utf-8", body: sentence + "\n")
        }
    }

    private enum Path: String {
        case metrics = "/metrics"
        case health = "/health"
    }

    /// GET, and HEAD, which is a GET whose answer has no body.
    static let methods = ["GET", "HEAD"]

    let identity: MetricsIdentity

    /// The answer to what needs no look at the replica; nil if it does.
    func refusal(of request: Request) -> Answer? {
        guard Path(rawValue: String(Self.split(request.target).path)) != nil else {
            return .refusal(
                404,
                "There is nothing at this path. GET /metrics for all metrics, or /health for "
                    + "whether this member can serve.")
        }
        guard Self.methods.contains(request.method) else {
            return .refusal(405, "Nothing can be changed here. Use GET.")
        }
        return nil
    }

    /// The answer to a request that ``refusal(of:)`` lets pass.
    /// - Parameter snapshot: nil while the replica starts or stops.
    func answer(_ request: Request, _ snapshot: MetricsSnapshot?) -> Answer {
        guard let snapshot else {
            return .refusal(503, "This member starts or stops just now. Ask again in a moment.")
        }
        let (path, query) = Self.split(request.target)
        switch Path(rawValue: String(path)) {
        case .metrics: return metrics(snapshot)
        case .health: return health(snapshot, HealthReport.Exclusions(query: query))
        case nil: preconditionFailure("Other paths are refused before the replica is asked.")
        }
    }

    private func metrics(_ snapshot: MetricsSnapshot) -> Answer {
        let families = snapshot.families(of: identity) + ProcessFigures.now().families
        return Answer(
            status: 200, contentType: Exposition.contentType, body: Exposition.text(families))
    }

    private func health(
        _ snapshot: MetricsSnapshot, _ exclusions: HealthReport.Exclusions
    ) -> Answer {
        let report = HealthReport(snapshot.status, without: exclusions)
        return Answer(
            status: report.isHealthy ? 200 : 503, contentType: "application/json",
            body: report.json)
    }

    private static func split(_ target: String) -> (path: Substring, query: Substring) {
        guard let mark = target.firstIndex(of: "?") else { return (target[...], "") }
        return (target[..<mark], target[target.index(after: mark)...])
    }
}
