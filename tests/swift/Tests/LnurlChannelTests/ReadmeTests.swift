import Foundation
import LnurlChannel
import Testing

/// The README's Swift, as it stands there.
@Suite struct ReadmeTests {
    @Test func theSnippetOfTheReadmeRuns() async throws {
        let testbed = try Testbed()
        let wallet = Wallet(testbed)
        try await wallet.snippet(try testbed.offer().text("lnurl"))
        #expect(wallet.shown == 1)
    }

    /// Line by line, so that the two cannot drift apart.
    @Test func theSnippetStandsInTheReadme() throws {
        let readme = try text(of: repository.appendingPathComponent("README.md"))
        let section = try #require(readme.components(separatedBy: "\n## Swift\n").dropFirst().first)
        let snippet = try #require(section.components(separatedBy: "```swift\n").dropFirst().first)
        var source = code(try text(of: URL(fileURLWithPath: #filePath)))[...]
        for line in code(snippet.components(separatedBy: "```")[0]) {
            let found = try #require(source.firstIndex(of: line), "\(line)")
            source = source[(found + 1)...]
        }
    }

    private func text(of file: URL) throws -> String {
        String(decoding: try Data(contentsOf: file), as: UTF8.self)
    }

    /// The lines without their comments and margins.
    private func code(_ text: String) -> [String] {
        text.components(separatedBy: "\n")
            .map { $0.components(separatedBy: "//")[0].trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }
    }

    private final class Wallet {
        private let myNode: LdkNode
        private let folder: URL
        private(set) var shown = 0

        init(_ testbed: Testbed) {
            myNode = LdkNode(testbed)
            folder = FileManager.default.temporaryDirectory
                .appendingPathComponent(UUID().uuidString)
        }

        deinit {
            try? FileManager.default.removeItem(at: folder)
        }

        /// The lines of README.md from its `## Swift`; the pump and the testbed's configuration
        /// stand for the rest of an app.
        func snippet(_ scannedText: String) async throws {
            func ClientConfig(storageDir: String) throws -> LnurlChannel.ClientConfig {
                try myNode.testbed.config { $0.storageDir = storageDir }
            }
            let client = try ChannelClient(node: myNode, config: ClientConfig(storageDir: folder.path))
            let pump = Pump(myNode.testbed, client)
            let lnurl = try decodeLnurl(text: scannedText)
            guard await askToContact(lnurl.host()) else { return }
            let request = try await client.fetch(lnurl: lnurl)  // nothing of the wallet is sent
            if await askUser(request.offer()) {
                switch try await request.accept() {  // waits for the channel
                case .opening(let channel): show(channel)
                case .hostedOffered(_, let message): startHosted(message)
                case .hostedExists(let message): resumeHosted(message)
                }
            } else { try request.decline() }
            withExtendedLifetime(pump) {}
        }

        private func askToContact(_ host: String) async -> Bool { host == "localhost" }
        private func askUser(_ offer: ChannelOffer) async -> Bool { offer.kind == .funded }
        private func show(_ channel: IncomingChannel) { shown += 1 }
        private func startHosted(_ message: Data) {}
        private func resumeHosted(_ message: Data) {}
    }
}
