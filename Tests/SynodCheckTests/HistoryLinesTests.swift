import SynodBytes
import SynodCheck
import Testing

@Suite struct HistoryLinesTests {
    @Test func aLineLooksLikeThis() {
        var story = Story()
        story.told(10...20, 2, put("a", "say \"\\\""), ok)
        story.refused(30...40, .delete(KeyRange(lower: [0xff], upper: [0]), wantsPrevious: true))
        story.unknown(50, change("a", from: "", to: "1"))
        story.told(60...70, 2, get("a", isSerializable: true), found(stored("a", "1", 2, 2, 1)))
        let text = String(decoding: HistoryLines.encode(story.history), as: UTF8.self)
        #expect(
            text == #"""
                {"client":0,"call":10,"request":{"put":{"key":"a","value":"say \"\\\""}},"return":20,"answer":{"revision":2,"put":{}}}
                {"client":1,"call":30,"request":{"delete":{"key":{"hex":"ff"},"end":{"hex":"00"},"wantsPrevious":true}},"return":40}
                {"client":2,"call":50,"request":{"txn":{"if":[{"key":"a","is":"=","value":""}],"then":[{"put":{"key":"a","value":"1"}}]}}}
                {"client":3,"call":60,"request":{"range":{"key":"a","serializable":true}},"return":70,"answer":{"revision":2,"range":{"count":1,"found":[{"key":"a","value":"1","create":2,"mod":2,"version":1}]}}}

                """#)
    }

    @Test func whatIsWrittenIsReadBack() throws {
        for seed in 0..<UInt64(200) {
            var history = RandomHistory(seed: seed, .wholeStore).drawn(30)
            history.operations[0].call = .max
            history.operations[2].place = seed
            history.operations[1].request = .put(key: [0, 0x7f, 0x80], value: Bytes("é\n".utf8))
            #expect(try HistoryLines.decode(HistoryLines.encode(history)) == history)
        }
    }

    @Test(arguments: [
        "nonsense", "{", "{}", #"{"client":1}"#, "[[[", "\"", "{\"a\":tru}",
        #"{"client":1,"call":-1,"request":{"range":{"key":"a"}}}"#,
        #"{"client":1,"call":1,"request":{"range":{"key":{"hex":"0"}}}}"#,
        #"{"client":1,"call":1,"request":{"range":{"key":{"hex":"+1"}}}}"#,
        #"{"client":1,"call":1,"request":{"range":{"key":"a"}},"answer":{"revision":1}}"#,
        #"{"client":1,"call":1,"request":{"range":{"key":"a"}}} 1"#,
        #"{"client":1,"call":1,"request":{"range":{"key":"\u0061"}}}"#,
    ])
    func whatIsNoHistoryIsRefused(line: String) {
        #expect(throws: MalformedHistory.self) {
            try HistoryLines.decode(Bytes("\n\(line)\n".utf8))
        }
    }

    @Test func noInputTraps() {
        var prng = PRNG(seed: 1)
        let text = HistoryLines.encode(RandomHistory(seed: 2, .wholeStore).drawn(20))
        for _ in 0..<2_000 {
            var damaged = text
            for _ in 0...prng.below(3) {
                damaged[Int(prng.below(UInt64(text.count)))] = UInt8(prng.below(256))
            }
            _ = try? HistoryLines.decode(damaged)
            _ = try? HistoryLines.decode(Bytes(damaged.prefix(Int(prng.below(2_000)))))
        }
        let deep = Bytes(repeating: UInt8(ascii: "["), count: 100_000)
        #expect(throws: MalformedHistory.self) { try HistoryLines.decode(deep) }
    }
}

extension RandomHistory {
    fileprivate func drawn(_ count: Int) -> History {
        var copy = self
        return copy.draw(count)
    }
}
