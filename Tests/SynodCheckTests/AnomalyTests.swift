import SynodBytes
import SynodCheck
import Testing

/// Every anomaly by its name, in the smallest history that has it, beside one that is in order.
@Suite struct AnomalyTests {
    /// What each checker says of a story; the second knows no revisions and may be satisfied.
    private func expect(
        revisions: Bool, values: Bool, because reason: String = "",
        sourceLocation: SourceLocation = #_sourceLocation, _ tell: (inout Story) -> Void
    ) {
        var story = Story()
        tell(&story)
        let byRevisions = RevisionOrderCheck.judge(story.history)
        let byValues = LinearizabilityCheck.judge(story.history)
        #expect(byRevisions.isValid == revisions, "\(byRevisions)", sourceLocation: sourceLocation)
        #expect(byValues.isValid == values, "\(byValues)", sourceLocation: sourceLocation)
        #expect("\(byRevisions)".contains(reason), sourceLocation: sourceLocation)
    }

    @Test func aHistoryOfNothingIsValid() {
        expect(revisions: true, values: true) { _ in }
    }

    @Test func overlappingOperationsMayTakeEffectInEitherOrder() {
        expect(revisions: true, values: true) { story in
            story.told(10...50, 3, put("a", "1"), ok)
            story.told(20...40, 2, put("a", "2"), ok)
            story.told(30...60, 2, get("a"), found(stored("a", "2", 2, 2, 1)))
            story.told(70...80, 3, get("a"), found(stored("a", "1", 2, 3, 2)))
        }
    }

    @Test func staleRead() {
        expect(revisions: false, values: false, because: "older revision") { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.told(30...40, 3, put("a", "2"), ok)
            story.told(50...60, 2, get("a"), found(stored("a", "1", 2, 2, 1)))
        }
    }

    @Test func aSerializableReadMayBeStale() {
        expect(revisions: true, values: true) { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.told(30...40, 3, put("a", "2"), ok)
            story.told(
                50...60, 2, get("a", isSerializable: true), found(stored("a", "1", 2, 2, 1)))
        }
    }

    @Test func aSerializableReadOfWhatNeverWas() {
        expect(revisions: false, values: true, because: "should have been answered") { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.told(
                50...60, 2, get("a", isSerializable: true), found(stored("a", "2", 2, 2, 1)))
        }
    }

    @Test func aSerializableReadOfTheFuture() {
        expect(revisions: false, values: true, because: "seen before it was called") { story in
            story.told(
                10...20, 2, get("a", isSerializable: true), found(stored("a", "1", 2, 2, 1)))
            story.told(30...40, 2, put("a", "1"), ok)
        }
    }

    @Test func lostUpdate() {
        expect(revisions: false, values: false) { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.told(30...50, 3, change("a", from: "1", to: "2"), changed)
            story.told(30...60, 4, change("a", from: "1", to: "3"), changed)
        }
    }

    @Test func lostWrite() {
        expect(revisions: false, values: false) { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.told(30...40, 2, get("a"), found())
        }
    }

    @Test func phantom() {
        expect(revisions: false, values: false) { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.told(
                30...40, 2, getAll(from: "a"),
                found(stored("a", "1", 2, 2, 1), stored("b", "9", 2, 2, 1)))
        }
    }

    @Test func aKeyMissingFromARange() {
        expect(revisions: false, values: false) { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.told(30...40, 3, put("b", "2"), ok)
            story.told(50...60, 3, getAll(from: "a"), found(stored("b", "2", 3, 3, 1)))
        }
    }

    @Test func duplicateRevision() {
        expect(revisions: false, values: true, because: "duplicates") { story in
            story.told(10...30, 2, put("a", "1"), ok)
            story.told(20...40, 2, put("b", "2"), ok)
        }
    }

    @Test func gap() {
        expect(revisions: false, values: true, because: "nobody was answered with") { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.told(30...40, 4, put("b", "2"), ok)
        }
    }

    @Test func aGapThatOnlyALaterWriteCouldFill() {
        expect(revisions: false, values: true, because: "revision 3 was made by no") { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.told(30...40, 4, put("b", "2"), ok)
            story.unknown(50, put("c", "3"))
        }
    }

    @Test func aGapThatAWriteWithoutEffectCannotFill() {
        expect(revisions: false, values: true, because: "revision 3 was made by no") { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.unknown(25, delete("b"))
            story.told(30...40, 4, put("b", "2"), ok)
        }
    }

    @Test func aRevisionOutOfAllProportion() {
        expect(revisions: false, values: true, because: "nobody was answered with") { story in
            story.told(10...20, .max, put("a", "1"), ok)
            story.unknown(25, delete("b"))
        }
    }

    @Test func aRefusedWriteThatTookEffect() {
        expect(revisions: false, values: false) { story in
            story.refused(10...20, put("a", "1"))
            story.told(30...40, 2, get("a"), found(stored("a", "1", 2, 2, 1)))
        }
    }

    @Test func timeTravel() {
        expect(revisions: false, values: true, because: "older revision") { story in
            story.told(10...20, 3, put("a", "1"), ok)
            story.told(30...40, 2, put("b", "2"), ok)
        }
    }

    @Test func aReadOfTheFuture() {
        expect(revisions: false, values: false, because: "seen before it was called") { story in
            story.told(10...20, 2, get("a"), found(stored("a", "1", 2, 2, 1)))
            story.told(30...40, 2, put("a", "1"), ok)
        }
    }

    @Test func tornTransaction() {
        expect(revisions: false, values: true, because: "should have been answered") { story in
            let both = Request.txn(
                compares: [], success: [put("a", "1"), put("b", "2")], failure: [])
            story.told(10...60, 2, both, .txn(succeeded: true, [ok, ok]))
            story.told(20...50, 2, getAll(from: "a"), found(stored("a", "1", 2, 2, 1)))
        }
    }

    @Test func aTransactionThatComparesWhatItWrites() {
        expect(revisions: false, values: false) { story in
            let nested = Request.txn(
                compares: [.value(key: Bytes("a".utf8), .equal, Bytes("1".utf8))],
                success: [delete("a")], failure: [])
            story.told(
                10...20, 2, .txn(compares: [], success: [put("a", "1"), nested], failure: []),
                .txn(succeeded: true, [ok, .txn(succeeded: true, [.delete(count: 1)])]))
        }
    }

    @Test func aVersionThatSkips() {
        expect(revisions: false, values: true, because: "should have been answered") { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.told(30...40, 2, get("a"), found(stored("a", "1", 2, 2, 2)))
        }
    }

    @Test func anAnswerToAnotherQuestion() {
        expect(revisions: false, values: false) { story in
            story.told(10...20, 2, put("a", "1"), .delete(count: 1))
        }
    }

    @Test func aDeleteOfOneKeyThatCountsTwo() {
        expect(revisions: false, values: false) { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.told(30...40, 3, delete("a"), .delete(count: 2))
        }
    }
}
