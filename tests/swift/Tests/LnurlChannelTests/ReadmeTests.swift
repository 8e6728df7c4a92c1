import Foundation
import LnurlChannel
import Testing

/// The README's Swift, as it stands there.
@Suite struct ReadmeTests {
    @MainActor @Test func theSnippetOfTheReadmeRuns() async throws {
        let testbed = try Testbed()
        let wallet = Wallet(testbed)
        try await wallet.snippet(try testbed.offer().text("lnurl"))
        #expect(wallet.shown == 1)
        #expect(try testbed.callbacks().count == 1)
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

    /// The first half of the snippet: a node that is an actor.
    actor MyNode: AsyncWalletNode {
        let ldk: Ldk

        init(_ ldk: Ldk) {
            self.ldk = ldk
        }

        func nodeId() async throws -> String { ldk.id }
        func readiness(peer: PeerAddress) async throws -> NodeReadiness {
            NodeReadiness(channelIds: try await ldk.channelIds(with: peer.nodeId))
        }
        func connect(peer: PeerAddress) async throws -> Bool {
            try await ldk.connect(peer.nodeId, at: peer.socketAddress)
        }
        func releasePeer(peer: PeerAddress) async throws {
            try await ldk.disconnectUnlessNeeded(peer.nodeId)
        }
    }

    @MainActor private final class Wallet {
        private let myNode: MyNode
        private let testbed: Testbed
        private let folder: URL
        private(set) var shown = 0

        init(_ testbed: Testbed) {
            self.testbed = testbed
            myNode = MyNode(Ldk(testbed))
            folder = FileManager.default.temporaryDirectory
                .appendingPathComponent(UUID().uuidString)
        }

        deinit {
            try? FileManager.default.removeItem(at: folder)
        }

        /// The second half; the pump and the testbed's configuration stand for the rest of an app.
        func snippet(_ scannedText: String) async throws {
            let testConfig = try testbed.config()
            func ClientConfig(storageDir: String) -> LnurlChannel.ClientConfig {
                var config = testConfig
                config.storageDir = storageDir
                return config
            }
            let requests = ChannelRequests()  // observable, for the screen
            let config = ClientConfig(storageDir: try channelFolder().path)
            let client = try ChannelClient(node: myNode, listener: requests, config: config)
            requests.follow(client)

            let pump = Pump(testbed, client)
            @MainActor @Sendable func arrived(_ outcome: ChannelOutcome) async {
                switch outcome {
                case .funded(let channel): show(channel)
                case .hostedOffered(_, let message): startHosted(message)
                case .hostedExists(let message): resumeHosted(message)
                }
            }

            func scanned(_ text: String) async throws {
                let lnurl = try decodeLnurl(text: text)
                guard await askToContact(lnurl.authority()) else { return }
                let request = try await client.fetch(lnurl: lnurl)  // nothing of the wallet is sent
                let isWanted = await askUser(request.snapshot().offer)
                if isWanted { await arrived(try await request.accept()) } else { try await request.cancel() }
            }

            // At start: go on with what earlier runs have asked for. Nobody is asked.
            Task { await client.goOn { _, outcome in await arrived(outcome) } }
            try await scanned(scannedText)
            #expect(requests.snapshots.count == 1)
            withExtendedLifetime(pump) {}
        }

        private func channelFolder() throws -> URL { try LnurlChannel.channelFolder(in: folder) }
        private func askToContact(_ authority: String) async -> Bool {
            authority.hasPrefix("localhost:")
        }
        private func askUser(_ offer: ChannelOffer) async -> Bool { offer.kind == .funded }
        private func show(_ channel: IncomingChannel) { shown += 1 }
        private func startHosted(_ message: Data) {}
        private func resumeHosted(_ message: Data) {}
    }

    /// The testbed's node under the names that the README uses.
    struct Ldk: Sendable {
        let id: String
        private let node: LdkNode

        init(_ testbed: Testbed) {
            node = LdkNode(testbed)
            id = (try? node.nodeId()) ?? ""
        }

        func channelIds(with nodeId: String) async throws -> [String] {
            try await onThread { try node.testbed.channelIds(with: nodeId) }
        }

        func connect(_ nodeId: String, at address: String) async throws -> Bool {
            let parts = address.components(separatedBy: ":")
            let peer = PeerAddress(nodeId: nodeId, host: parts[0], port: UInt16(parts[1])!)
            return try await onThread { try node.connect(peer: peer) }
        }

        func disconnectUnlessNeeded(_ nodeId: String) async throws {
            let peer = PeerAddress(nodeId: nodeId, host: "", port: 1)
            try await onThread { try node.releasePeer(peer: peer) }
        }
    }
}
