import SynodPaxos

/// The state in which an exploration begins.
struct Beginning {
    private(set) var hosts: [Host]
    private let scope: Scope
    private let stepper: HostStepper

    init(_ scope: Scope, _ stepper: HostStepper) throws(Violation) {
        self.scope = scope
        self.stepper = stepper
        hosts = (0..<scope.replicas).map { Host($0, scope) }
        if scope.start == .led { try elect() }
        for (number, index) in scope.commands.enumerated() {
            let sequence = UInt64(scope.commands[..<number].count { $0 == index } + 1)
            try stepper.take(
                .submission(sequence: sequence, number: number), &hosts[index])
        }
    }

    /// The first replica takes the lead and everything arrives, until nothing is left to do.
    private mutating func elect() throws(Violation) {
        try stepper.take(.campaign, &hosts[0])
        var arrived: Set<Int32> = []
        var isQuiet = false
        while !isQuiet {
            isQuiet = true
            for index in hosts.indices {
                while !hosts[index].disk.unsynced.isEmpty {
                    try stepper.take(.sync, &hosts[index])
                    isQuiet = false
                }
                for packet in hosts.flatMap(\.deed.sent)
                where stepper.ledger.packet(packet).to == index && !arrived.contains(packet) {
                    arrived.insert(packet)
                    try stepper.take(.delivery(packet), &hosts[index])
                    isQuiet = false
                }
            }
        }
        for index in hosts.indices {
            // So that a leader knows what it has executed.
            try stepper.take(.wake, &hosts[index])
            hosts[index].campaigns = 0
            hosts[index].deed = Host.Deed()
        }
    }
}
