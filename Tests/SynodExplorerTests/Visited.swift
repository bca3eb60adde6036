import SynodExplorer
import Testing

/// Expects that the reduced search comes to the same combinations of replicas and their disks as the
/// full one.
func expectSameVisited(_ scope: Scope) {
    var full = scope
    full.isReduced = false
    let visited = (reduced: visited(scope), full: visited(full))
    let isEmpty = visited.reduced.isEmpty
    #expect(!isEmpty)
    let isSame = visited.reduced == visited.full  // Thousands of digests are no message.
    #expect(isSame)
}

private func visited(_ scope: Scope) -> Set<Int> {
    var explorer = Explorer(scope)
    var digests: Set<Int> = []
    guard case .exhausted = explorer.run(visit: { digests.insert($0) }) else {
        Issue.record("not exhausted")
        return []
    }
    return digests
}
