import Foundation
import Testing

/// Teaching examples that cannot go stale: each file in `Transcripts` is a conversation of replicas.
///
/// `SYNOD_REWRITE=1 swift test --filter Transcript` writes down what happens now.
struct TranscriptTests {
    private static let names = [
        "catch-up", "election", "leader-crash", "lost-accept", "normal-case", "stale-leader",
    ]

    @Test(arguments: names)
    func conversation(name: String) throws {
        let url = Bundle.module.bundleURL.appending(path: "Transcripts/\(name).txt")
        let expected = try String(contentsOf: url, encoding: .utf8)
        let actual = Transcript.rewritten(expected.trimmingCharacters(in: .newlines))
        if ProcessInfo.processInfo.environment["SYNOD_REWRITE"] != nil {
            let source = URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "Transcripts/\(name).txt")
            try actual.write(to: source, atomically: true, encoding: .utf8)
        } else {
            #expect(actual == expected, "SYNOD_REWRITE=1 writes down what happens now")
        }
    }

    /// Every file is run.
    @Test func everyTranscriptIsNamed() throws {
        let folder = Bundle.module.bundleURL.appending(path: "Transcripts")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(files.sorted() == Self.names.map { "\($0).txt" })
    }
}
