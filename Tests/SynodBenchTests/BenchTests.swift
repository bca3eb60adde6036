import Foundation
import NIOCore
import SynodBench
import Testing

@Suite struct BenchTests {
    @Test func everyOccurrenceOfTheKeyGetsItsDigits() throws {
        let request = try RequestTemplate.transaction(valueBytes: 3).request(key: 12_345_678)
        let text = String(decoding: request, as: UTF8.self)
        #expect(text.components(separatedBy: "key/12345678").count == 5)
        #expect(!text.contains("#"))
    }

    @Test func aPutIsEncodedAsProtobufHasIt() throws {
        let request = try RequestTemplate.put(valueBytes: 2).request(key: 42)
        #expect(request == [10, 12] + Array("key/00000042".utf8) + [18, 2] + Array("vv".utf8))
    }

    @Test func aBudgetHandsOutEachOperationOnce() {
        let budget = Budget(.operations(3), rate: nil)
        #expect((0..<5).map { _ in budget.take()?.number } == [0, 1, 2, nil, nil])
    }

    @Test func aRateSpacesOperations() throws {
        let budget = Budget(.operations(10), rate: 4)
        let dues = try (0..<3).map { _ in try #require(budget.take()).due }
        #expect(dues[1] - dues[0] == .milliseconds(250))
        #expect(dues[2] - dues[0] == .milliseconds(500))
    }

    @Test func aRateEndsWithTheDuration() {
        let budget = Budget(.duration(.seconds(60)), rate: 0.1)
        #expect((0..<7).map { _ in budget.take() != nil }.filter { $0 }.count == 6)
    }

    @Test func aStoppedBudgetIsEmpty() {
        let budget = Budget(.duration(.seconds(60)), rate: nil)
        #expect(budget.take() != nil)
        budget.stop()
        #expect(budget.take() == nil)
    }

    @Test func errorsAreCountedByMessageUpToABound() {
        var tally = Tally()
        for number in 0..<60 { tally.fail("error \(number)") }
        tally.fail("error 0")
        #expect(tally.failed == 61)
        #expect(tally.errors.count == 51)
        #expect(tally.errors["error 0"] == 2)
        #expect(tally.errors["(other errors)"] == 10)
    }

    @Test func aReportAddsUpWhatTheEventLoopsSaw() throws {
        var (left, right) = (Tally(), Tally())
        for latency in 1...99 { left.succeed(microseconds: UInt64(latency) * 1000) }
        right.succeed(microseconds: 500_000)
        right.fail("Unavailable: gone")
        left.add(right)
        let configuration = BenchConfiguration(mode: .put, endpoints: ["127.0.0.1:2379"])
        let report = BenchReport(
            configuration, tally: left, elapsed: .seconds(4), before: nil, after: nil)
        #expect(report.operations == 100)
        #expect(report.operationsPerSecond == 25)
        #expect(abs(report.latencyMilliseconds.p50 - 50) < 0.1)
        #expect(abs(report.latencyMilliseconds.p99 - 99) < 0.1)
        #expect(abs(report.latencyMilliseconds.max - 500) < 1)
        #expect(report.table.contains("1 × Unavailable: gone"))
        let back = try JSONDecoder().decode(BenchReport.self, from: Data(report.json.utf8))
        #expect(back.operations == 100)
        #expect(back.errors == ["Unavailable: gone": 1])
    }

    @Test func impossibleOptionsAreNamed() {
        var configuration = BenchConfiguration(mode: .put, endpoints: ["127.0.0.1:1"])
        configuration.clients = 0
        #expect(throws: BenchError.self) { try configuration.check() }
        configuration.clients = 1
        configuration.rate = -1
        #expect(throws: BenchError.self) { try configuration.check() }
    }

    @Test func aRunThatNobodyAnswersFailsAtOnce() async {
        var configuration = BenchConfiguration(mode: .range, endpoints: ["127.0.0.1:1"])
        configuration.showsProgress = false
        let error = await #expect(throws: BenchError.self) { try await runBench(configuration) }
        #expect(error?.description.contains("no endpoint answers") == true)
    }

    #if os(Linux)
        @Test func theUseOfAProcessIsRead() throws {
            let usage = try #require(ProcessUsage(of: [getpid()]))
            #expect(usage.residentBytes > 1_000_000)
            #expect(usage.processorMicroseconds > 0)
            #expect(ProcessUsage(of: []) == nil)
        }
    #endif
}
