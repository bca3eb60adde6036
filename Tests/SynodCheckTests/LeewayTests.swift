import SynodBytes
import SynodCheck
import Testing

/// What a store that executes by key may tell, and what not even that one may.
@Suite struct LeewayTests {
    private func judge(_ leeway: Leeway, _ tell: (inout Story) -> Void) -> Verdict {
        var story = Story()
        tell(&story)
        return RevisionOrderCheck.judge(story.history, allowing: leeway)
    }

    private let late = Leeway(allowsLateHeaders: true)

    @Test func aReadMayBeOlderThanWhatIsKnownOfAnotherKey() {
        let tell: (inout Story) -> Void = { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.told(30...40, 3, put("b", "1"), ok)
            story.told(50...60, 2, get("a"), found(stored("a", "1", 2, 2, 1)))
        }
        #expect(judge(late, tell).isValid)
        #expect(!judge(.none, tell).isValid)
    }

    /// The write of `b` was answered before, so the read comes behind it in the one order of all, and
    /// that of `a` before: each key for itself is in order, and a range read meanwhile that sees
    /// the new `a` and no `b` would close a circle.
    @Test func aReadMustNotMissAWriteUnderWayBelowWhatIsKnown() {
        let tell: (inout Story) -> Void = { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.told(30...90, 3, put("a", "2"), ok)
            story.told(40...50, 4, put("b", "1"), ok)
            story.told(60...70, 2, get("a"), found(stored("a", "1", 2, 2, 1)))
        }
        let verdict = judge(late, tell)
        #expect("\(verdict)".contains("should have been answered"))
        var story = Story()
        tell(&story)
        #expect(LinearizabilityCheck.judge(story.history).isValid)
    }

    @Test func aReadMustNotMissWhatIsKnownOfItsKey() {
        let verdict = judge(late) { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.told(30...40, 3, put("a", "2"), ok)
            story.told(50...60, 2, get("a"), found(stored("a", "1", 2, 2, 1)))
        }
        #expect("\(verdict)".contains("should have been answered"))
    }

    @Test func aLateHeaderIsNotOlderThanWhatIsReturned() {
        let verdict = judge(late) { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.told(10...20, 3, put("b", "1"), ok)
            story.told(50...60, 1, get("a"), found(stored("a", "1", 2, 2, 1)))
        }
        #expect("\(verdict)".contains("reports an older revision than 2"))
    }

    @Test func aLateHeaderIsNotOlderThanTheDeletionOfWhatIsMissing() {
        let verdict = judge(late) { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.told(30...40, 3, delete("a"), .delete(count: 1, previous: []))
            story.told(30...40, 4, put("b", "1"), ok)
            story.told(50...60, 2, get("a"), found())
        }
        #expect("\(verdict)".contains("reports an older revision than 3"))
    }

    @Test func aWriteThatWasAnsweredIsNotLeftOut() {
        let verdict = judge(Leeway(skipped: [3])) { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.told(30...40, 3, put("b", "1"), ok)
        }
        #expect("\(verdict)".contains("no write was to make"))
    }

    @Test func aReadMustNotMissWhatAnotherReadHasSeen() {
        let verdict = judge(late) { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.told(30...90, 3, put("a", "2"), ok)
            story.told(40...50, 3, get("a"), found(stored("a", "2", 2, 3, 2)))
            story.told(60...70, 2, get("a"), found(stored("a", "1", 2, 2, 1)))
        }
        #expect("\(verdict)".contains("should have been answered"))
    }

    @Test(arguments: ["a", "b", "c", "d", "e", "f", "g"])
    func aRangeMustNotMissWhatIsKnownOfAnyKeyInIt(_ key: String) {
        let isInside = ("b"..<"f").contains(key)
        let verdict = judge(late) { story in
            var revision: Int64 = 2
            for other in ["a", "b", "c", "d", "e", "f", "g"] {
                story.told(10...20, revision, put(other, "1"), ok)
                revision += 1
            }
            story.told(30...40, revision, put(key, "2"), ok)
            story.told(
                50...60, revision - 1, get("b", "f"),
                found(
                    stored("b", "1", 3, 3, 1), stored("c", "1", 4, 4, 1), stored("d", "1", 5, 5, 1),
                    stored("e", "1", 6, 6, 1)))
        }
        #expect(verdict.isValid == !isInside, "\(verdict)")
    }

    @Test func aDeletedRangeIsKnownOfAllItsKeys() {
        let verdict = judge(late) { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.told(10...20, 3, put("c", "1"), ok)
            story.told(30...40, 4, delete("a", "d"), .delete(count: 2, previous: []))
            story.told(50...60, 3, get("c"), found(stored("c", "1", 3, 3, 1)))
        }
        #expect("\(verdict)".contains("should have been answered"))
    }

    @Test func aRevisionThatIsSkippedNeedsNoWriter() {
        let tell: (inout Story) -> Void = { story in
            story.told(10...20, 2, put("a", "1"), ok)
            story.told(30...40, 4, put("a", "2"), ok)
        }
        #expect(judge(Leeway(skipped: [3]), tell).isValid)
        #expect(!judge(.none, tell).isValid)
    }
}
