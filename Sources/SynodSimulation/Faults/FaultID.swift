/// The faults that a simulation can inject.
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
    // Ours: proposers and leaders fail with slots granted. Behind the others, for the place of a
    // fault decides what is drawn for it.
    case g1 = "G1"
    case g2 = "G2"
    case g3 = "G3"
    case g4 = "G4"

    /// Its place among them.
    package var number: Int { Self.allCases.firstIndex(of: self)! }

    package static func < (left: FaultID, right: FaultID) -> Bool { left.number < right.number }
}

/// How often each fault happened and changed something.
package struct FaultTally: Sendable, Hashable {
    private var counts = [UInt64](repeating: 0, count: FaultID.allCases.count)

    package init() {}

    package subscript(id: FaultID) -> UInt64 { counts[id.number] }

    mutating func fired(_ id: FaultID) { counts[id.number] += 1 }

    package mutating func add(_ other: FaultTally) {
        for index in counts.indices { counts[index] += other.counts[index] }
    }

    /// Those that fired, in their order.
    package var fired: [(id: FaultID, count: UInt64)] {
        FaultID.allCases.compactMap { self[$0] > 0 ? ($0, self[$0]) : nil }
    }
}
