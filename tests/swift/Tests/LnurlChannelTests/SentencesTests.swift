import Foundation
import LnurlChannel
import Testing

@Suite struct SentencesTests {
    private static let raw = "<html>os error 111</html>"

    private let errors: [LnurlChannelError] = [
        .InvalidLnurl(problem: .notLnurl, reason: raw),
        .InvalidLnurl(problem: .damaged, reason: raw),
        .InvalidLnurl(problem: .several, reason: raw),
        .UnsupportedTag(tag: "payRequest"),
        .UnsafeUrl(problem: .notHttps, reason: raw),
        .UnsafeUrl(problem: .privateAddress, reason: raw),
        .UnsafeUrl(problem: .other, reason: raw),
        .TorRequired(host: "abc.onion"),
        .Unreachable(problem: .noConnection, reason: raw),
        .Unreachable(problem: .timedOut, reason: raw),
        .Unreachable(problem: .connectionLost, reason: raw),
        .Unreachable(problem: .certificateDate, reason: raw),
        .Unreachable(problem: .certificateUntrusted, reason: raw),
        .Unreachable(problem: .proxy, reason: raw),
        .InvalidResponse(reason: raw),
        .OwnNode,
        .Refused(words: nil),
        .Refused(words: "come back on Monday"),
        .NodeFailed(problem: .notConnected, reason: raw),
        .NodeFailed(problem: .timedOut, reason: raw),
        .NodeFailed(problem: .unsupported, reason: raw),
        .NodeFailed(problem: .failed, reason: raw),
        .NoChannel(serviceAgreed: true, concerns: [], reason: raw),
        .NoChannel(serviceAgreed: false, concerns: [], reason: raw),
        .Cancelled,
        .WrongState(state: .ready),
        .StorageFailed(reason: raw),
        .InvalidConfig(reason: raw),
    ]

    private let concerns: [ChannelConcern] = [
        .anchorReserve(missingSat: 6_000),
        .visibilityRefused(visibility: .unannounced),
        .visibilityRefused(visibility: .announced),
        .zeroConfRefused,
        .tooManyPending(pending: 4),
        .onionUnreachable,
        .hostedUnsupported,
        .peerNotConnected,
        .connectionLost,
        .otherVisibilityProposed,
        .proposalFailed(reason: raw),
        .answerUnclear(words: nil),
        .answerUnclear(words: "one moment"),
        .nodeFailed(problem: .failed),
        .serviceUnreachable(problem: .timedOut),
    ]

    private let steps: [ChannelStep] = [
        .connecting, .requesting, .agreed, .answerUnclear, .reconnecting, .proposed, .mismatched,
        .openingFailed, .arrived, .progressed, .ready, .changed,
    ]

    private let states: [ChannelRequestState] = [
        .offered, .connecting, .requesting, .awaiting, .outcomeUnknown, .opening, .arrived, .ready,
        .refused, .cancelled,
    ]

    private func all(_ sentences: Sentences) -> [String] {
        errors.map(sentences.of) + concerns.map(sentences.of) + steps.map(sentences.of)
            + states.map(sentences.of)
    }

    // The compiler sees to it that each case has a key.
    @Test func eachKeyHasItsSentenceAndEachSentenceItsKey() {
        let asked = Keys()
        let told = all(Sentences { asked.insert($0) })
        #expect(asked.all == Set(Sentences.keys.keys))
        #expect(told.allSatisfy { !$0.isEmpty && !$0.contains("%@") && !$0.hasPrefix("lnurl_") })
        #expect(!told.contains { $0.contains(Self.raw) }, "text of a machine is in a sentence")
        #expect(told.contains { $0.contains("come back on Monday") })
        #expect(told.contains { $0.contains("6000 sat") })
    }

    @Test func anAppHasItsOwnWords() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "\(UUID()).bundle")
        let german = folder.appendingPathComponent("de.lproj")
        try FileManager.default.createDirectory(at: german, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let text = "\"lnurl_channel_concern_anchor_reserve\" = \"%@ sat fehlen\";\n"
        let file = german.appendingPathComponent("Localizable.strings")
        try text.write(to: file, atomically: true, encoding: .utf8)
        let bundle = try #require(Bundle(path: german.path))
        let sentences = Sentences(bundle: bundle)
        #expect(sentences.of(.anchorReserve(missingSat: 6_000)) == "6000 sat fehlen")
        #expect(sentences.of(LnurlChannelError.Refused(words: nil)) == "The service said no.")
    }

    // Kotlin's test compares these with Kotlin's.
    @Test func androidsResourcesAreTheSame() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = root.appendingPathComponent("android/lib/src/main/res/values/strings.xml")
        let xml = try String(contentsOf: file, encoding: .utf8)
        for (key, text) in Sentences.keys {
            let value = text.replacingOccurrences(of: "%@", with: "%1$s")
                .replacingOccurrences(of: "'", with: "\\'")
            #expect(xml.contains("<string name=\"\(key)\">\(value)</string>"), "\(key)")
        }
    }
}

private final class Keys: @unchecked Sendable {
    private let lock = NSLock()
    private var keys: Set<String> = []

    var all: Set<String> { lock.withLock { keys } }

    func insert(_ key: String) -> String? {
        lock.withLock { _ = keys.insert(key) }
        return nil
    }
}
