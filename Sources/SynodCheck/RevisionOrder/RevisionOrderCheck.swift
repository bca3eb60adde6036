/// Judges a history by the order that its answers themselves report: their revisions.
///
/// Every answer carries the revision of the whole store, and every key those of its changes, so the
/// order of the writes need not be searched: sort, replay, compare. This is exact for whatever the
/// contract of the store says about revisions, versions, ranges and transactions on many keys, in
/// time n log n; and it is strict, since an order that explains all values but not all revisions is
/// a violation.
///
/// - Every write has a revision of its own, from 2 upwards. One that is missing was made by a write
///   with an unknown outcome: one that was called early enough, changes something, and agrees with
///   everything seen later. All such assignments are tried, so a history is valid exactly if one of
///   them explains it.
/// - Every answer equals that of a model at its revision. That holds for serializable reads too.
/// - Real time: what returned before another was called has no higher revision, and a lower one if
///   the other is a write. Serializable reads are free to be late.
/// - A store may be given leeway in two points: see ``Leeway``.
///
/// *Assumption for speed.* The generator makes the values of puts unique. Then a value that was
/// seen names its write, and choices remain only among writes that left no trace. Without it
/// the verdicts are the same, but the search may exceed its budget and stay `undecided`.
package enum RevisionOrderCheck {
    /// The store is empty and at revision 1 before the first operation. The budget counts executed
    /// requests beyond which choices are no longer tried.
    package static func judge(
        _ history: History, allowing leeway: Leeway = .none, stepBudget: Int = 50_000_000
    ) -> Verdict {
        let operations = history.operations
        do throws(Refutation) {
            let placements = try RealTimeOrder.check(operations, leeway)
            let timeline = try Timeline(operations, leeway, placements)
            var replay = Replay(
                timeline, operations, leeway, stepBudget: stepBudget + operations.count)
            return replay.run()
        } catch {
            return .violation(error.violation(of: operations))
        }
    }
}
