import SynodSimulation
import Testing

/// A sweep tells of many runs what each of them tells.
struct FigureTests {
    private func report(_ seed: UInt64) -> Report {
        var options = RunOptions(seed: seed, profile: .brief)
        options.replicas = 2
        options.operations = 20
        return Simulation(options).execute()
    }

    private func sweep(_ reports: [Report]) -> SweepTotals {
        var totals = SweepTotals()
        for report in reports { totals.add(report) }
        return totals
    }

    private func results(_ name: String, in figures: [Figure]) throws -> [Figure.Result] {
        try #require(figures.first { $0.name == name }).results
    }

    @Test func aSweepSumsUpWhatItsRunsMeasured() throws {
        let reports = [1, 2, 3].map(report)
        let totals = sweep(reports)
        #expect(totals.figures.map(\.name) == reports[0].figures.map(\.name))
        let rounds = try reports.map { try results("rounds per decision", in: $0.figures)[0].value }
        let most = try #require(rounds.max())
        #expect(rounds.contains { $0 < most })
        let summary = try results("rounds per decision", in: totals.figures)
        #expect(summary.map(\.statistic) == [.mean, .max])
        #expect(abs(summary[0].value - rounds.reduce(0, +) / 3) < 1e-9)
        #expect(summary[1].value == most)
        #expect(summary[1].seed == UInt64(try #require(rounds.firstIndex(of: most)) + 1))
        #expect(try results("requests made", in: totals.figures)[0].value == 60)
    }

    @Test func theOrderOfTheRunsMakesNoDifference() {
        let reports = [1, 2, 3].map(report)
        #expect(
            sweep(reports).figures.map(\.results)
                == sweep(reports.reversed()).figures.map(\.results))
    }

    @Test func aSingleRunTellsItsNumbersWithoutAnySeed() throws {
        let figures = report(1).figures
        #expect(figures.first { $0.name == "requests made" }?.text == "20")
        for figure in figures { #expect(figure.text?.contains("seed") == false) }
    }
}
