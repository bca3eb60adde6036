import SynodServer
import Testing

@Suite struct FaultPlanTests {
    @Test func sharesAreReadForEachRole() throws {
        let plan = try FaultPlan(parsing: "acceptor=5%,learner=0.5%", seed: 7)
        #expect(plan.acceptorPerMillion == 50_000)
        #expect(plan.learnerPerMillion == 5_000)
        #expect(try FaultPlan(parsing: "learner=100%", seed: 7).acceptorPerMillion == 0)
    }

    @Test(
        arguments: [
            "", "acceptor", "acceptor=5", "acceptor=-1%", "acceptor=101%", "acceptor=nan%",
            "proposer=5%", "acceptor=5%,acceptor=5%", "acceptor=5%,", "acceptor=0x5%",
            "acceptor=1e1%", "acceptor=%",
        ])
    func anythingElseIsRefused(text: String) {
        #expect(throws: ConfigurationError.self) { try FaultPlan(parsing: text, seed: 1) }
    }
}
