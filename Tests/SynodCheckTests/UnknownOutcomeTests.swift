import SynodBytes
import SynodCheck
import Testing

/// Operations whose clients never learned how they ended.
@Suite struct UnknownOutcomeTests {
    private func expect(
        _ isValid: Bool, sourceLocation: SourceLocation = #_sourceLocation,
        _ tell: (inout Story) -> Void
    ) {
        var story = Story()
        tell(&story)
        for verdict in [
            RevisionOrderCheck.judge(story.history), LinearizabilityCheck.judge(story.history),
        ] {
            #expect(verdict.isValid == isValid, "\(verdict)", sourceLocation: sourceLocation)
        }
    }

    @Test func anUnknownWriteMayTakeEffectLate() {
        expect(true) { story in
            story.unknown(10, put("a", "1"))
            story.told(20...30, 1, get("a"), found())
            story.told(40...50, 2, put("b", "2"), ok)
            story.told(60...70, 3, get("a"), found(stored("a", "1", 3, 3, 1)))
        }
    }

    @Test func anUnknownWriteMayNeverTakeEffect() {
        expect(true) { story in
            story.unknown(10, put("a", "1"))
            story.told(20...30, 2, put("b", "2"), ok)
            story.told(40...50, 2, get("a"), found())
        }
    }

    @Test func anUnknownWriteDoesNotTakeEffectBeforeItsCall() {
        expect(false) { story in
            story.told(20...30, 2, get("a"), found(stored("a", "1", 2, 2, 1)))
            story.unknown(40, put("a", "1"))
        }
    }

    @Test func anUnknownWriteDoesNotTakeEffectTwice() {
        expect(false) { story in
            story.unknown(10, put("a", "1"))
            story.told(20...30, 2, get("a"), found(stored("a", "1", 2, 2, 1)))
            story.told(40...50, 3, put("a", "2"), ok)
            story.told(60...70, 4, get("a"), found(stored("a", "1", 2, 4, 3)))
        }
    }

    @Test func anUnknownWriteThatWasSeenStays() {
        expect(false) { story in
            story.unknown(10, put("a", "1"))
            story.told(20...30, 2, get("a"), found(stored("a", "1", 2, 2, 1)))
            story.told(40...50, 2, get("a"), found())
        }
    }

    @Test func anUnknownDeleteIsSeenByItsAbsence() {
        expect(true) { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.unknown(30, delete("a"))
            story.told(40...50, 2, get("a"), found(stored("a", "1", 2, 2, 1)))
            story.told(60...70, 3, get("a"), found())
        }
    }

    /// Two wrong choices come first; only the version that was seen later tells them apart.
    @Test func aChoiceAmongUnknownWritesIsTakenBack() {
        expect(true) { story in
            story.told(10...20, 2, put("a", "0"), ok)
            story.unknown(21, put("b", "1"))
            story.unknown(22, delete("a"))
            story.unknown(23, put("a", "2"))
            story.told(30...40, 4, put("c", "3"), ok)
            story.told(50...60, 5, put("a", "4"), ok)
            story.told(70...80, 5, get("b"), found())
            story.told(70...80, 5, get("a"), found(stored("a", "4", 2, 5, 3)))
        }
    }

    /// The log has the second of them first.
    @Test func placesForbidAnOrder() {
        for areTold in [false, true] {
            expect(!areTold) { story in
                story.unknown(10, put("a", "1"))
                story.unknown(10, put("a", "2"))
                if areTold {
                    story.history.operations[0].place = 2
                    story.history.operations[1].place = 1
                }
                story.told(20...30, 2, get("a"), found(stored("a", "1", 2, 2, 1)))
                story.told(40...50, 3, get("a"), found(stored("a", "2", 2, 3, 2)))
            }
        }
    }

    /// Each of the first reads may come before or after each other: that must not be tried out.
    @Test func manyOverlappingReadsAreJudgedQuickly() {
        expect(false) { story in
            for index in 0..<UInt64(60) {
                story.told(10 + index...1_000 + index, 1, get("a"), found())
            }
            story.told(2_000...2_010, 2, put("a", "1"), ok)
            story.told(3_000...3_010, 2, get("a"), found())
        }
    }

    /// Many that left no trace, then many that did: the search must not double with each.
    @Test func manyUnknownWritesAreJudgedQuickly() {
        expect(true) { story in
            var revision: Int64 = 1
            for index in 0..<UInt64(400) {
                story.unknown(10 + index, put("a", "never \(index)"))
            }
            for index in 0..<Int64(200) {
                let time = 1_000 + UInt64(index) * 10
                story.unknown(time, put("a", "late \(index)"))
                revision += 2
                story.told(
                    time...time + 5, revision,
                    .put(key: Bytes("a".utf8), value: [], wantsPrevious: true),
                    .put(previous: stored("a", "late \(index)", 2, revision - 1, revision - 2)))
            }
        }
    }
}
