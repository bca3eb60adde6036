/// Executes a timeline revision by revision and compares every answer with the model's.
///
/// At a gap it tries the unknown writes that can have filled it and comes back for the next one if
/// a later answer contradicts. With values that are unique, what was seen of a write names it and
/// there is nothing to choose.
struct Replay {
    /// A gap, with what was and what can still be tried there.
    private struct Choice {
        let revision: Int64
        let candidates: [Int]
        var next = 0
        /// How many changes the model had made before.
        let mark: Int
        let last: LastPlace
    }

    /// The newest revision of which the log's place is known, and that place.
    struct LastPlace {
        var revision = Timeline.firstRevision
        var place: UInt64 = 0
    }

    private let operations: [Operation]
    private let timeline: Timeline
    private let leeway: Leeway
    private let filler: GapFiller
    private var model: Model
    private var choices: [Choice] = []
    private var isUsed: [Bool]
    private var stepsLeft: Int
    private var revision = Timeline.firstRevision
    private var last = LastPlace()
    /// The contradiction that the best of the attempts ran into.
    private var deepest: (revision: Int64, refutation: Refutation)?

    init(
        _ timeline: Timeline, _ operations: [Operation], _ leeway: Leeway, stepBudget: Int
    ) {
        self.operations = operations
        self.timeline = timeline
        self.leeway = leeway
        let keys = KeyTable(putBy: operations)
        filler = GapFiller(timeline, operations, keys)
        model = Model(keys)
        isUsed = Array(repeating: false, count: timeline.unknownWrites.count)
        stepsLeft = stepBudget
    }

    mutating func run() -> Verdict {
        while revision <= timeline.lastRevision {
            guard stepsLeft > 0 else {
                return .undecided("too many ways to fill the revisions that nobody was told of")
            }
            do throws(Refutation) {
                if revision > Timeline.firstRevision { try makeRevision() }
                try checkReaders()
                revision += 1
            } catch {
                let refutation = deepened(by: error)
                guard goBack() else { return .violation(refutation.violation(of: operations)) }
            }
        }
        return .valid
    }

    private mutating func makeRevision() throws(Refutation) {
        guard let writer = timeline.writer(of: revision) else {
            return leeway.skipped.contains(revision) ? () : try fillGap()
        }
        if choices.isEmpty { model.forgetChanges() }
        try check(writer, at: revision)
        note(operations[writer])
    }

    private mutating func note(_ writer: Operation) {
        if let place = writer.place { last = LastPlace(revision: revision, place: place) }
    }

    private mutating func checkReaders() throws(Refutation) {
        var reader = timeline.firstReader(of: revision)
        while let index = reader {
            try check(index, at: revision + 1)
            try checkHeader(index)
            reader = timeline.reader(after: index)
        }
    }

    private mutating func check(_ index: Int, at revision: Int64) throws(Refutation) {
        stepsLeft -= 1
        let operation = operations[index]
        let expected = model.execute(operation.request, at: revision)
        guard operation.response?.body == expected else {
            throw Refutation("should have been answered: \(expected)", [index])
        }
    }

    /// A header may be late, but not as late as what it stands above: at the revision that it reports,
    /// all that was asked for must have been as it is at the present one.
    private func checkHeader(_ index: Int) throws(Refutation) {
        guard let told = operations[index].response?.revision, told < revision else { return }
        let last = model.lastChange(of: operations[index].request)
        guard told < last else { return }
        throw Refutation("reports an older revision than \(last), of which it tells", [index])
    }

    private mutating func fillGap() throws(Refutation) {
        if choices.last?.revision != revision {
            let (places, tried) = filler.candidates(
                for: revision, isUsed, after: last, &model)
            stepsLeft -= tried
            choices.append(
                Choice(
                    revision: revision, candidates: places, mark: model.changes.count, last: last))
        }
        var choice = choices.removeLast()
        guard choice.next < choice.candidates.count else {
            throw Refutation(
                "revision \(revision) was made by no write that was answered, and by none with an "
                    + "unknown outcome that agrees with the other answers", [])
        }
        let place = choice.candidates[choice.next]
        isUsed[place] = true
        choice.next += 1
        choices.append(choice)
        let writer = operations[timeline.unknownWrites[place]]
        _ = model.execute(writer.request, at: revision)
        note(writer)
    }

    /// Takes the last choice back; false if there is none.
    private mutating func goBack() -> Bool {
        guard let choice = choices.last else { return false }
        model.rollBack(to: choice.mark)
        isUsed[choice.candidates[choice.next - 1]] = false
        revision = choice.revision
        last = choice.last
        return true
    }

    private mutating func deepened(by refutation: Refutation) -> Refutation {
        if let deepest, deepest.revision >= revision { return deepest.refutation }
        deepest = (revision, refutation)
        return refutation
    }
}
