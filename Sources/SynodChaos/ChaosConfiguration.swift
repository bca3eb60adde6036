import Foundation

/// What to break, how long and how to repeat it.
package struct ChaosConfiguration: Sendable {
    package var scenarios = Scenario.all
    /// Sizes of the clusters, each of which every scenario is played on.
    package var sizes = [3, 5]
    /// How long each scenario breaks things; what follows until all is mended comes on top.
    package var seconds = 10.0
    /// What is broken, and when, follows from it; what the processes make of it does not.
    package var seed: UInt64 = 1
    /// Where the history and the logs of a failed run go.
    package var directory = "./chaos-failures"
    /// The program that is a member when it is started with `serve`; by default this one.
    package var executable = Bundle.main.executablePath ?? CommandLine.arguments[0]

    package init() {}
}
