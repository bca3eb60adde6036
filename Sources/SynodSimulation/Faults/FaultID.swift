/// The faults of the catalogue that a simulation can inject.
package enum FaultID: String, CaseIterable, Sendable, Comparable {
    case n1 = "N1"
    case n2 = "N2"
    case n3 = "N3"
    case n4 = "N4"
    case n5 = "N5"
    case n6 = "N6"
    case n7 = "N7"
    case n8 = "N8"
    case n9 = "N9"
    case n11 = "N11"
    case n12 = "N12"
    case n13 = "N13"
    case p1 = "P1"
    case p2 = "P2"
    case p3 = "P3"
    case p4 = "P4"
    case p5 = "P5"
    case p7 = "P7"
    case p8 = "P8"
    case p9 = "P9"
    case p10 = "P10"
    case d1 = "D1"
    case d2 = "D2"
    case d3 = "D3"
    case d4 = "D4"
    case d6 = "D6"
    case d7 = "D7"
    case d8 = "D8"
    case d9 = "D9"
    case d10 = "D10"
    case d11 = "D11"
    case d12 = "D12"
    case c1 = "C1"
    case c2 = "C2"
    case c3 = "C3"
    case c4 = "C4"
    case c5 = "C5"
    case w1 = "W1"
    case w2 = "W2"
    case w3 = "W3"
    case w4 = "W4"
    case w8 = "W8"

    /// Its place in the catalogue.
    package var number: Int { Self.allCases.firstIndex(of: self)! }

    package static func < (left: FaultID, right: FaultID) -> Bool { left.number < right.number }

    package var title: String {
        switch self {
        case .n1: "messages lost"
        case .n2: "messages doubled and replayed"
        case .n3: "messages delayed and reordered"
        case .n4: "links clogged"
        case .n5: "partitions"
        case .n6: "one-way partitions"
        case .n7: "partial connectivity"
        case .n8: "link capacity exceeded"
        case .n9: "connections reset"
        case .n11: "a slow replica"
        case .n12: "clients cut off, retries elsewhere"
        case .n13: "strangers at the door"
        case .p1: "crashes"
        case .p2: "crashes between two effects"
        case .p3: "crashes of several at once"
        case .p4: "pauses"
        case .p5: "crashes in recovery and transfer"
        case .p7: "late timers"
        case .p8: "full inboxes"
        case .p9: "unlucky but legal choices"
        case .p10: "unusual settings"
        case .d1: "unsynced writes lost or kept"
        case .d2: "torn writes"
        case .d3: "read errors"
        case .d4: "bit rot found by a checksum"
        case .d6: "failed syncs"
        case .d7: "lying syncs"
        case .d8: "full disks"
        case .d9: "slow disks"
        case .d10: "disks lost"
        case .d11: "stale and swapped disks"
        case .d12: "damaged snapshots"
        case .c1: "clock drift"
        case .c2: "clock steps"
        case .c3: "clock strobes"
        case .c4: "uneven clocks"
        case .c5: "clocks that stood still"
        case .w1: "hot and skewed keys"
        case .w2: "many writers of one key"
        case .w3: "overlapping transactions"
        case .w4: "requests at the limits"
        case .w8: "retry storms"
        }
    }
}

/// How often each fault happened and changed something.
package struct FaultTally: Sendable, Hashable {
    private var counts = [UInt64](repeating: 0, count: FaultID.allCases.count)

    package init() {}

    package subscript(id: FaultID) -> UInt64 { counts[id.number] }

    mutating func fired(_ id: FaultID, times: UInt64 = 1) { counts[id.number] += times }

    package mutating func add(_ other: FaultTally) {
        for index in counts.indices { counts[index] += other.counts[index] }
    }

    /// Those that fired, in the order of the catalogue.
    package var fired: [(id: FaultID, count: UInt64)] {
        FaultID.allCases.compactMap { self[$0] > 0 ? ($0, self[$0]) : nil }
    }
}
