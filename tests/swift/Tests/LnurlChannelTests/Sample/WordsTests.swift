import Foundation
import LnurlChannel
import LnurlChannelTesting
import Testing

@testable import ChannelScreen

/// The sample's texts, and the lines that are made of them.
@Suite struct WordsTests {
    private let words = Words()
    private let sources = repository.appendingPathComponent("ios/Sample/Sources/ChannelScreen")

    private func texts() throws -> [String: String] {
        let file = sources.appendingPathComponent("Resources/en.lproj/Localizable.strings")
        let list = try PropertyListSerialization.propertyList(from: Data(contentsOf: file), format: nil)
        return try #require(list as? [String: String])
    }

    private func files() throws -> [URL] {
        let all = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        return all.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
    }

    @Test func eachWordHasItsTextAndEachTextItsWord() throws {
        let texts = try texts()
        #expect(Set(texts.keys) == Set(Word.allCases.map(\.rawValue)))
        for word in Word.allCases { #expect(words(word) == texts[word.rawValue]) }
    }

    @Test func eachWordIsUsed() throws {
        let code = try files().filter { $0.lastPathComponent != "Words.swift" }
            .map { try String(contentsOf: $0, encoding: .utf8) }.joined()
            + String(contentsOf: sources.appendingPathComponent("Model/Words.swift"), encoding: .utf8)
            .components(separatedBy: "public struct Words")[1]
        for word in Word.allCases { #expect(code.contains(".\(word)"), "\(word)") }
    }

    @Test func valuesTakeTheirPlaces() {
        #expect(words(.consentTitle, "a.example") == "Ask a.example what it offers?")
        #expect(words(.resultConfirmationsOf, "1", "3") == "1 of 3")
    }

    /// A service's own words stay as they are.
    @Test func aValueIsNoTemplate() {
        #expect(words(.resultConfirmationsOf, "%2$@", "3") == "%2$@ of 3")
    }

    @Test func anOfferNamesEachHostThatDiffers() {
        var offer = ChannelOffer.fake
        func labels() -> [Word] { OfferRows(words: words).rows(offer).map(\.label) }
        #expect(labels() == [.offerKind, .offerService, .offerNode, .offerNodeId])
        offer.service = "service.example:8443"
        #expect(labels() == [.offerKind, .offerService, .offerNode, .offerNodeId])
        offer.callbackHost = "other.example"
        offer.answeredBy = "www.service.example"
        offer.alias = "a node"
        #expect(
            labels() == [
                .offerKind, .offerService, .offerAnsweredBy, .offerCallbackHost, .offerAlias, .offerNode, .offerNodeId,
            ])
        offer.service = nil
        #expect(OfferRows(words: words).rows(offer)[1].value.hasPrefix("Nobody vouches"))
    }

    @Test func aChannelShowsWhatIsKnownOfIt() {
        var channel = IncomingChannel.fake
        channel.pushMsat = 7_000
        (channel.confirmations, channel.confirmationsRequired) = (1, 3)
        let request = ChannelRequestSnapshot.fake(state: .arrived) { $0.channel = channel }
        let rows = ResultRows(words: words).rows(request)
        #expect(rows.map(\.label) == [.resultCapacity, .resultReceived, .resultConfirmations, .resultChannelId])
        #expect(rows[1].value == "7 sat")
        #expect(rows[2].value == "1 of 3")
        channel.stage = .proposed
        let opening = ChannelRequestSnapshot.fake(state: .opening) { $0.channel = channel }
        #expect(!ResultRows(words: words).rows(opening).map(\.label).contains(.resultChannelId))
    }

    /// Fonts grow with the user's setting, colours follow dark mode, and each text is one of the words.
    @Test func theViewsHaveNoSizesColoursAndTextsOfTheirOwn() throws {
        let views = try files().filter { $0.path.contains("/Views/") }
        #expect(views.count == 6)
        for view in views {
            let code = try String(contentsOf: view, encoding: .utf8)
            for own in ["size:", "frame(width", "frame(height", "Color(", "Text(\"", "Button(\"", "verbatim: \""] {
                #expect(!code.contains(own), "\(own) in \(view.lastPathComponent)")
            }
        }
    }

    /// What the code asks iOS for, an app with the sample has to declare.
    @Test func infoPlistNamesWhatTheCodeUses() throws {
        let sample = repository.appendingPathComponent("ios/Sample")
        let file = try Data(contentsOf: sample.appendingPathComponent("Info.plist"))
        let list = try #require(PropertyListSerialization.propertyList(from: file, format: nil) as? [String: Any])
        let wallet = try String(
            contentsOf: sources.appendingPathComponent("SampleWallet.swift"), encoding: .utf8)
        let identifiers = try #require(list["BGTaskSchedulerPermittedIdentifiers"] as? [String])
        #expect(identifiers.count == 1 && wallet.contains("identifier: \"\(identifiers[0])\""))
        #expect(list["UIBackgroundModes"] as? [String] == ["fetch"])
        #expect(list["NSCameraUsageDescription"] is String)
        let types = try #require(list["CFBundleURLTypes"] as? [[String: Any]])
        for scheme in try #require(types.first?["CFBundleURLSchemes"] as? [String]) {
            // The library takes each of them.
            let lnurl = scheme == "lightning" ? try encodeLnurl(url: "https://a.example/?q=1") : "//a.example/?q=1"
            #expect(try decodeLnurl(text: "\(scheme):\(lnurl)").authority() == "a.example")
        }
    }

    @Test func aSavedScreenIsPrintedWithoutItsText() {
        let saved = SavedScreen(scanned: "https://service.example?k1=secret", requestId: "7")
        #expect(!"\(saved)".contains("secret"))
        #expect(!String(reflecting: saved).contains("secret"))
    }
}
