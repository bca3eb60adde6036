import SynodBytes

/// What a compare of etcd means to a register, which knows neither versions nor revisions beyond
/// that they are zero exactly where there is no value.
struct CompareTest {
    /// Holds whenever the compare does; nil if that is always.
    let test: RegisterStep<Bytes>.Test?
    /// Whether the compare also holds whenever the test does.
    let isExact: Bool

    init(_ compare: Compare) {
        switch compare {
        case .value(_, let relation, let operand):
            test = .value(relation, operand)
            isExact = true
        case .version(_, let relation, let operand), .createRevision(_, let relation, let operand),
            .modRevision(_, let relation, let operand):
            (test, isExact) = Self.ofNumber(relation, operand)
        }
    }

    private static func ofNumber(
        _ relation: Compare.Relation, _ operand: Int64
    ) -> (RegisterStep<Bytes>.Test?, Bool) {
        let holdsForAbsent = relation.holds(0, operand)
        let (canHoldForPresent, alwaysHoldsForPresent) =
            switch relation {
            case .equal: (operand >= 1, false)
            case .greater: (true, operand < 1)
            case .less: (operand > 1, false)
            case .notEqual: (true, operand < 1)
            }
        let test: RegisterStep<Bytes>.Test? =
            switch (holdsForAbsent, canHoldForPresent) {
            case (true, true): nil
            case (true, false): .absent
            case (false, true): .present
            case (false, false): .never
            }
        return (test, canHoldForPresent == alwaysHoldsForPresent)
    }
}
