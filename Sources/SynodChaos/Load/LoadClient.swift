import EtcdWire
import SynodCheck
import SynodClient

/// A client that does one operation after the other, at a steady pace, and takes down what it saw.
struct LoadClient {
    private let client: SynodClient
    private let recorder: Recorder
    private let load: Load
    private let pace: Duration
    private var mix: RequestMix
    private var identity: Int

    init(
        _ client: SynodClient, recorder: Recorder, load: Load, pace: Duration, mix: RequestMix
    ) {
        self.client = client
        self.recorder = recorder
        self.load = load
        self.pace = pace
        self.mix = mix
        identity = recorder.newClient()
    }

    /// Goes on until the load is stopped; the operation under way is finished.
    mutating func run() async {
        var due = ContinuousClock.now
        while let count = load.begin() {
            await perform(mix.next(after: count))
            // What the cluster has delayed is not made up for: that would be a burst at its worst
            // moment.
            due = max(due + pace, ContinuousClock.now)
            try? await Task.sleep(until: due)
        }
        await client.close()
    }

    private mutating func perform(_ request: Request) async {
        let call = recorder.now
        let outcome: Outcome
        do throws(ClientError) {
            let response = try await send(request)
            outcome = .answered(at: recorder.now, response)
            mix.learn(response.body)
        } catch {
            outcome = Self.outcome(of: error, at: recorder.now)
        }
        recorder.record(
            Operation(client: identity, call: call, request: request, outcome: outcome))
        if case .unknown = outcome { identity = recorder.newClient() }
    }

    private func send(_ request: Request) async throws(ClientError) -> Response {
        switch request {
        case .put(let key, let value, let wantsPrevious):
            let answer = try await client.put(
                EtcdPutRequest(key, value, wantsPrevious: wantsPrevious))
            return Response(revision: answer.header.revision, body: Body(answer))
        case .delete(let range, let wantsPrevious):
            let answer = try await client.deleteRange(
                EtcdDeleteRangeRequest(range, wantsPrevious: wantsPrevious))
            return Response(revision: answer.header.revision, body: Body(answer))
        case .range(let range, let isSerializable):
            let answer = try await client.range(
                EtcdRangeRequest(range, isSerializable: isSerializable))
            return Response(revision: answer.header.revision, body: Body(answer))
        case .txn(let compares, let success, let failure):
            let answer = try await client.txn(EtcdTxnRequest(compares, success, failure))
            return Response(revision: answer.header.revision, body: Body(answer))
        }
    }

    /// Refused is only what certainly has no effect: it was not sent, or the server answered with
    /// an error that it gives before it hands a request on.
    private static func outcome(of error: ClientError, at time: UInt64) -> Outcome {
        if !error.mayHaveRun { return .refused(at: time) }
        switch error.code {
        case .invalidArgument, .failedPrecondition, .outOfRange, .resourceExhausted:
            return .refused(at: time)
        default:
            return .unknown
        }
    }
}
