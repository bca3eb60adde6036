import Foundation

/// Starts the replicas of a cluster, tells what becomes of them and starts again those that die.
///
/// Everything that happens comes as a ``ClusterEvent`` and is dealt with one after the other.
package struct Launcher {
    private enum Replica {
        /// Started; it has not said yet that it serves → serving, pausing.
        case starting(Child)
        /// → pausing.
        case serving(Child)
        /// Dead, to be started again after a pause → starting.
        case pausing
        /// Dead for good, as the launcher is stopping.
        case gone
    }

    /// How long replicas may take to stop when asked.
    private static let patience = Duration.seconds(5)
    private static let shortestPause = Duration.seconds(2)
    private static let longestPause = Duration.seconds(32)
    private static let tallyInterval = Duration.seconds(2)

    private let configuration: ClusterConfiguration
    private let plans: [ReplicaPlan]
    private let say: @Sendable (String) -> Void
    private let report: @Sendable (ClusterEvent) -> Void
    private var replicas: [Replica]
    private var pauses: [Duration]
    private var sightings: [Sighting?]
    private var leader: Int?
    /// Whether all replicas have served at once and the table was shown.
    private var isComplete = false
    /// Of each replica: whether it has died, so that its return is news.
    private var hasDied: [Bool]
    private var exitCode: Int32?
    private var tally = FaultTally()
    /// Of each replica.
    private var lastFaults: [String?]
    private var isTallyDue = false

    /// - Parameters:
    ///   - say: Where lines for the person at the terminal go.
    ///   - report: Where events go, to come back in the stream given to ``run(_:)``.
    package init(
        _ configuration: ClusterConfiguration, plans: [ReplicaPlan],
        say: @escaping @Sendable (String) -> Void,
        report: @escaping @Sendable (ClusterEvent) -> Void
    ) {
        self.configuration = configuration
        self.plans = plans
        self.say = say
        self.report = report
        replicas = Array(repeating: .gone, count: plans.count)
        pauses = Array(repeating: Self.shortestPause, count: plans.count)
        sightings = Array(repeating: nil, count: plans.count)
        lastFaults = Array(repeating: nil, count: plans.count)
        hasDied = Array(repeating: false, count: plans.count)
    }

    /// Runs the cluster until it was stopped; returns the exit code.
    package mutating func run(_ events: AsyncStream<ClusterEvent>) async -> Int32 {
        let faults = configuration.faults.map { ", which fail on purpose: \($0.specification)" }
        say("starting \(plans.count) replicas in \(configuration.directory)\(faults ?? "")")
        for index in plans.indices where exitCode == nil { start(index) }
        if let exitCode, isEverybodyGone { return exitCode }
        for await event in events {
            handle(event)
            if let exitCode, isEverybodyGone { return exitCode }
        }
        preconditionFailure("Events go on for as long as the launcher.")
    }

    private mutating func handle(_ event: ClusterEvent) {
        switch event {
        case .ready(let index, let pid): becameReady(index, pid)
        case .ended(let index, let pid, let ending): ended(index, pid, ending)
        case .restartDue(let index):
            if case .pausing = replicas[index] { start(index) }
        case .faultInjected(let index, let kind): faultInjected(kind, in: index)
        case .tallyDue:
            isTallyDue = false
            if exitCode == nil { say(tally.text) }
        case .observed(let sightings): observed(sightings)
        case .stopRequested: stopRequested()
        case .patienceEnded: destroyAll()
        }
    }

    // MARK: Life and death of a replica

    private mutating func start(_ index: Int) {
        do {
            let child = try Child(
                plans[index], index: index, executable: configuration.executable, report: report)
            replicas[index] = .starting(child)
            if hasDied[index] { say("\(plans[index].name) starts again (pid \(child.pid))") }
        } catch {
            say("\(error)")
            stop(exitCode: 1)
        }
    }

    private mutating func becameReady(_ index: Int, _ pid: Int32) {
        guard case .starting(let child) = replicas[index], child.pid == pid else { return }
        replicas[index] = .serving(child)
        pauses[index] = Self.shortestPause
        if hasDied[index] { say("\(plans[index].name) serves again (pid \(pid))") }
        introduceWhenComplete()
    }

    private mutating func ended(_ index: Int, _ pid: Int32, _ ending: Ending) {
        guard let child = child(index), child.pid == pid else { return }
        let plan = plans[index]
        hasDied[index] = true
        if exitCode != nil {
            replicas[index] = .gone
            return
        }
        if let faults = configuration.faults, ending == .exited(code: faults.crashCode) {
            return failedOnPurpose(index, pid)
        }
        if case .starting = replicas[index], !isComplete {
            replicas[index] = .gone
            say("\(plan.name) (pid \(pid)) \(ending) before it served; its last words:")
            say(lastLines(of: plan.logFile, from: child.logOffset))
            stop(exitCode: 1)
            return
        }
        replicas[index] = .pausing
        let pause = pauses[index]
        pauses[index] = min(pause * 2, Self.longestPause)
        say(
            """
            \(plan.name) (pid \(pid)) \(ending); it is started again in \
            \(pause.components.seconds) s; its log is \(plan.logFile)
            """)
        report(.restartDue(index), after: pause)
    }

    // MARK: Faults on purpose

    /// There can be very many of them, so they are told in sums and not one by one.
    private mutating func faultInjected(_ kind: String, in index: Int) {
        tally.add(kind)
        lastFaults[index] = kind
        if !isTallyDue { report(.tallyDue, after: Self.tallyInterval) }
        isTallyDue = true
    }

    private mutating func failedOnPurpose(_ index: Int, _ pid: Int32) {
        replicas[index] = .pausing
        let pause = Duration.milliseconds(Int.random(in: 1...1000))
        let milliseconds = pause.components.attoseconds / 1_000_000_000_000_000
        say(
            """
            \(plans[index].name) (pid \(pid)) failed on purpose (\(lastFaults[index] ?? "?")); \
            it is started again in \
            \(pause.components.seconds * 1000 + milliseconds) ms
            """)
        report(.restartDue(index), after: pause)
    }

    // MARK: What the replicas say

    private mutating func observed(_ sightings: [Sighting?]) {
        self.sightings = sightings
        let newest = sightings.compactMap { $0 }.filter { $0.leader != 0 }
            .max { $0.round < $1.round }
        guard let newest else { return }
        let index = sightings.firstIndex { $0?.member == newest.leader }
        guard let index, index != leader else { return introduceWhenComplete() }
        let previous = leader
        leader = index
        if isComplete, let previous {
            say("\(plans[index].name) leads now; \(plans[previous].name) led before")
        }
        introduceWhenComplete()
    }

    private mutating func introduceWhenComplete() {
        guard !isComplete, exitCode == nil, let leader, sightings.allSatisfy({ $0 != nil }) else {
            return
        }
        var pids: [Int32] = []
        for replica in replicas {
            guard case .serving(let child) = replica else { return }
            pids.append(child.pid)
        }
        isComplete = true
        say(introduction(plans, pids: pids, leader: leader, directory: configuration.directory))
    }

    // MARK: The end

    private mutating func stopRequested() {
        if exitCode == nil {
            if configuration.faults != nil { say(tally.text) }
            say("stopping the replicas")
            stop(exitCode: 0)
        } else {
            destroyAll()
        }
    }

    private mutating func stop(exitCode: Int32) {
        guard self.exitCode == nil else { return }
        self.exitCode = exitCode
        for index in replicas.indices {
            if let child = child(index) { child.terminate() } else { replicas[index] = .gone }
        }
        report(.patienceEnded, after: Self.patience)
    }

    private func destroyAll() {
        for index in replicas.indices { child(index)?.destroy() }
    }

    private var isEverybodyGone: Bool {
        replicas.allSatisfy { if case .gone = $0 { true } else { false } }
    }

    /// The replica's process, if there is one.
    private func child(_ index: Int) -> Child? {
        switch replicas[index] {
        case .starting(let child), .serving(let child): child
        case .pausing, .gone: nil
        }
    }

    private func report(_ event: ClusterEvent, after pause: Duration) {
        let report = report
        Task {
            try await Task.sleep(for: pause)
            report(event)
        }
    }
}
