/// Which disks may be damaged: never so many that what was acknowledged, or progress, is lost.
///
/// A replica whose disk is damaged counts as gone, as long as it is. All others together must be a
/// majority, and then every quorum of them shares an intact disk with every earlier quorum.
struct FaultAtlas {
    private let count: Int
    private(set) var damaged: [Int] = []

    init(count: Int) {
        self.count = count
    }

    func isDamaged(_ index: Int) -> Bool { damaged.contains(index) }

    /// Whether another disk may be damaged beyond repair.
    func allows(_ index: Int) -> Bool {
        !isDamaged(index) && count - damaged.count - 1 >= count / 2 + 1
    }

    mutating func damage(_ index: Int) {
        if !isDamaged(index) { damaged.append(index) }
    }

    /// What was lost is there again.
    mutating func repair(_ index: Int) {
        damaged.removeAll { $0 == index }
    }
}
