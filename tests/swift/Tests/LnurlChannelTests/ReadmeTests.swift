import Foundation
import LnurlChannel
import Testing

/// The quick start of docs/ios.md, as it stands there.
@Suite struct ReadmeTests {
    @MainActor @Test func aScannedLnurlBecomesAChannelThatCanBeUsed() async throws {
        let testbed = try Testbed()
        let app = try App(testbed)
        await app.start()
        let scan = Task { await app.scanned(try testbed.offer().text("lnurl")) }
        try await testbed.waitForTarget("ChannelPending")
        try testbed.post("/mine")
        try await scan.value
        #expect(app.shown == ["funded"])
        #expect(app.requests.snapshots.map(\.state) == [.ready])
        let target = try testbed.target().text("id")
        #expect(app.ldk.decisions.all == [true])
        #expect(app.ldk.remembered.all == [target, target], "funded, and ready")
        #expect(try testbed.callbacks().count == 1)
        await app.end()
    }

    @MainActor @Test func whatAnEarlierRunHasAskedForIsWaitedFor() async throws {
        let testbed = try Testbed()
        let earlier = try App(testbed)
        await earlier.start()
        let lnurl = try testbed.offer(["habits": ["OkAndNeverOpens"]]).text("lnurl")
        let scan = Task { await earlier.scanned(lnurl) }
        for await list in earlier.requests.updates() where list.first?.state == .awaiting { break }
        await earlier.client?.shutdown()
        await scan.value
        #expect(earlier.shown.isEmpty, "a wait that is cancelled is no error")

        let app = try App(testbed, earlier)
        let start = Task { await app.start() }
        for await list in app.requests.updates() where list.first?.isPeerConnected == true { break }
        try testbed.post("/target/open", ["peer_id": testbed.wallet().text("id")])
        try await testbed.waitForTarget("ChannelPending")
        try testbed.post("/mine")
        await start.value
        #expect(app.shown == ["funded"])
        #expect(try testbed.callbacks().count == 1)
        await app.end()
    }

    @MainActor @Test func aHostedChannelIsHandedOver() async throws {
        let testbed = try Testbed()
        let app = try App(testbed)
        await app.start()
        await app.scanned(try testbed.offer(["kind": "hosted"]).text("lnurl"))
        let existing = ["kind": "hosted", "habits": ["HostedChannelExists"]] as [String: Any]
        await app.scanned(try testbed.offer(existing).text("lnurl"))
        #expect(app.shown == ["hosted", "resumed"])
        await app.end()
    }

    @MainActor @Test func whatFailsIsTold() async throws {
        let testbed = try Testbed()
        let app = try App(testbed)
        await app.start()
        await app.scanned("LNURL1DP68GURN8GHJ7")
        await app.scanned("keyauth://service.example?k1=00")
        await app.scanned(try testbed.offer(["habits": ["ErrorAnswer"]]).text("lnurl"))
        #expect(app.shown.count == 3)
        #expect(app.shown.prefix(2) == ["This LNURL is damaged: a letter is missing or wrong.", "login"])
        #expect(app.shown.last?.hasPrefix("The service said no") == true)
        app.isWilling = false
        await app.scanned(try testbed.offer().text("lnurl"))
        #expect(app.shown.count == 3)
        #expect(try testbed.callbacks().count == 1)
        await app.end()
    }

    @MainActor @Test func whatIsNotExpectedIsReported() async throws {
        let testbed = try Testbed()
        let app = try App(testbed)
        await app.start()
        let lnurl = try testbed.offer(["habits": ["OkAndNeverOpens"]]).text("lnurl")
        let scan = Task { await app.scanned(lnurl) }
        for await list in app.requests.updates() where list.first?.state == .awaiting { break }
        let client = try #require(app.client)
        let reports = Reports(ldk: app.ldk, client: client)
        let target = try testbed.target().text("id")
        let stranger = NodeEvent.Proposal(
            peerId: plainNodeId, temporaryId: "00", capacitySat: 1, isAnnounced: false)
        reports.report(.openChannelRequest(stranger))
        #expect(app.ldk.decisions.all == [false], "the wallet's own policy")
        let first = Data(repeating: 1, count: 32).hex
        let second = Data(repeating: 2, count: 32).hex
        reports.report(.channelPending(peerId: target, channelId: first, temporaryId: nil))
        #expect(client.requests().first?.channel?.channelId == first)
        reports.report(.channelPending(peerId: target, channelId: second, temporaryId: nil))
        #expect(app.ldk.warnings.all.map(\.channelId) == [second])
        reports.report(.channelClosed(peerId: target, channelId: first, reason: "spent otherwise"))
        #expect(client.requests().first?.state == .awaiting)
        reports.report(.peerConnection(peerId: target, isConnected: false))
        scan.cancel()
        await scan.value
        await app.end()
    }

    /// Line by line, so that the two cannot drift apart. The blocks stand in this file's order.
    @Test func theBlocksAreThoseOfTheDocument() throws {
        let document = try text(of: repository.appendingPathComponent("docs/ios.md"))
        let blocks = document.components(separatedBy: "```swift\n").dropFirst()
        #expect(blocks.count == 3)
        let source = try text(of: URL(fileURLWithPath: #filePath))
        for (number, block) in zip(1..., blocks) {
            // Put together, so that this line is none of the marks.
            let mark = "// " + "BLOCK \(number)\n"
            let here = try #require(source.components(separatedBy: mark).dropFirst().first)
            #expect(
                code(block.components(separatedBy: "```")[0])
                    == code(here.components(separatedBy: "// " + "END")[0]))
        }
    }

    private func text(of file: URL) throws -> String {
        String(decoding: try Data(contentsOf: file), as: UTF8.self)
    }

    /// The lines without their margins.
    private func code(_ text: String) -> [String] {
        text.components(separatedBy: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }

    /// An app around the blocks, with the testbed's time limits.
    @MainActor private final class App {
        let ldk: Ldk
        private(set) var shown: [String] = []
        var isWilling = true
        private let testConfig: LnurlChannel.ClientConfig
        private let folder: URL

        /// - Parameter earlier: the run before this one, of the same app on the same node.
        init(_ testbed: Testbed, _ earlier: App? = nil) throws {
            ldk = try earlier?.ldk ?? Ldk(testbed)
            testConfig = try testbed.config()
            folder =
                earlier?.folder
                ?? FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        }

        func end() async {
            ldk.stop()
            await client?.shutdown()
            try? FileManager.default.removeItem(at: folder)
        }

        private nonisolated func ClientConfig(storageDir: String) -> LnurlChannel.ClientConfig {
            var config = testConfig
            config.storageDir = storageDir
            return config
        }

        private nonisolated func channelFolder() throws -> URL {
            try LnurlChannel.channelFolder(in: folder)
        }

        private func agreesToContact(_ authority: String) async -> Bool {
            authority.hasPrefix("localhost:")
        }

        private func agreesToAccept(_ offer: ChannelOffer, _ concerns: [String]) async -> Bool {
            isWilling && concerns.isEmpty
        }

        private func tell(_ sentence: String) { shown.append(sentence) }
        private func route(_ tag: String) { shown.append(tag) }
        private func show(_ channel: IncomingChannel) { shown.append("\(channel.stage)") }
        private func startHosted(_ message: Data) { shown.append("hosted") }
        private func resumeHosted(_ message: Data) { shown.append("resumed") }

        // BLOCK 1
        actor MyNode: AsyncWalletNode {
            let ldk: Ldk
            init(_ ldk: Ldk) { self.ldk = ldk }

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

            // For hosted channels. Without them, leave these out.
            func sendPeerMessage(peerId: String, messageType: UInt16, payload: Data) async throws -> Bool {
                try await ldk.send(peerId, messageType, payload)
            }
            func refundScriptPubkey(requestId: String) async throws -> Data { ldk.newP2wpkhScript() }
        }

        let requests = ChannelRequests()  // observable, for the screen
        let sentences = Sentences()  // in English, or in your own words
        var client: ChannelClient?

        func start() async {
            do {
                // It reads the disk.
                client = try await Task.detached { try self.makeClient() }.value
                await goOn()
            } catch let error as LnurlChannelError {
                tell(sentences.of(error))  // a full disk, a locked phone: start again later
            } catch {
                tell(error.localizedDescription)
            }
        }

        nonisolated func makeClient() throws -> ChannelClient {
            let config = ClientConfig(storageDir: try channelFolder().path)
            let client = try ChannelClient(node: MyNode(ldk), listener: requests, config: config)
            requests.follow(client)
            // Only now, so that no channel goes unreported.
            ldk.start(Reports(ldk: ldk, client: client).report)
            return client
        }

        // It waits on for what was asked, and asks nobody.
        func goOn() async {
            await client?.goOn { [weak self] _, outcome in await self?.arrived(outcome) }
        }
        // END

        // BLOCK 2
        func scanned(_ text: String) async {
            do {
                let lnurl = try decodeLnurl(text: text)  // offline
                guard let client, await agreesToContact(lnurl.authority()) else { return }
                try await offered(try await client.fetch(lnurl: lnurl))
            } catch LnurlChannelError.UnsupportedTag(let tag) {
                route(tag)
            } catch LnurlChannelError.Cancelled {
                // paused, or cancelled by the user
            } catch is CancellationError {
                // the task was cancelled
            } catch let error as LnurlChannelError {
                tell(sentences.of(error))
            } catch {
                tell(error.localizedDescription)
            }
        }

        func offered(_ request: ChannelRequest) async throws {
            if request.snapshot().state == .offered {
                // It asks your node only.
                let concerns = try await request.preflight().map { sentences.of($0) }
                guard await agreesToAccept(request.snapshot().offer, concerns) else {
                    return try await request.cancel()
                }
            }
            arrived(try await request.accept())  // asks once; called again, it waits on
            // Hours; it keeps the peer connected.
            if request.snapshot().awaitsReady { _ = try await request.awaitReady() }
        }

        func arrived(_ outcome: ChannelOutcome) {  // again, until dismiss()
            switch outcome {
            case .funded(let channel): show(channel)
            case .hostedOffered(_, let message): startHosted(message)
            case .hostedExists(let message): resumeHosted(message)
            }
        }
        // END
    }
}

/// What the wallet's own node tells of.
enum NodeEvent: Sendable {
    struct Proposal: Sendable {
        let peerId: String
        let temporaryId: String
        let capacitySat: UInt64
        let isAnnounced: Bool
    }

    case openChannelRequest(Proposal)
    case channelPending(peerId: String, channelId: String, temporaryId: String?)
    case channelReady(peerId: String, channelId: String)
    case channelClosed(peerId: String, channelId: String, reason: String?)
    case peerConnection(peerId: String, isConnected: Bool)
    case peerMessage(peerId: String, messageType: UInt16, payload: Data)
}

// BLOCK 3
// Each event of your node, off the main thread. Inbound channels only.
struct Reports: Sendable {
    let ldk: Ldk
    let client: ChannelClient

    func report(_ event: NodeEvent) {
        switch event {
        case .openChannelRequest(let proposal):
            proposed(proposal)
        case .channelPending(let peerId, let channelId, let temporaryId):
            funded(
                IncomingChannel(
                    peerId: peerId, stage: .funded, channelId: channelId,
                    formerChannelId: temporaryId))
        case .channelReady(let peerId, let channelId):
            funded(IncomingChannel(peerId: peerId, stage: .ready, channelId: channelId))
        case .channelClosed(let peerId, let channelId, let reason):
            client.reportChannelClosed(peerId: peerId, channelId: channelId, reason: reason)
        case .peerConnection(let peerId, let isConnected):
            client.reportPeerConnection(peerId: peerId, isConnected: isConnected)
        case .peerMessage(let peerId, let messageType, let payload):
            _ = client.reportPeerMessage(
                peerId: peerId, messageType: messageType, payload: payload)
        }
    }

    func proposed(_ proposal: NodeEvent.Proposal) {
        let channel = IncomingChannel(
            peerId: proposal.peerId, stage: .proposed, channelId: proposal.temporaryId,
            isAnnounced: proposal.isAnnounced)
        switch client.reportIncomingChannel(channel: channel) {
        case .expected: ldk.answer(proposal, accept: true)  // no reason to trust zero-conf
        case .unrequested: ldk.answer(proposal, accept: ldk.isMyPolicy(proposal))
        default: ldk.answer(proposal, accept: false)
        }
    }

    func funded(_ channel: IncomingChannel) {
        switch client.reportIncomingChannel(channel: channel) {
        case .expected: ldk.remember(channel.peerId)
        case .unrequested: break
        default: ldk.warn(channel)  // close it only if the user says so
        }
    }
}
// END

/// The testbed's node under the names that docs/ios.md uses.
final class Ldk: Sendable {
    let id: String
    let decisions = Watched<Bool>()
    let remembered = Watched<String>()
    let warnings = Watched<IncomingChannel>()
    private let node: LdkNode
    private let listener = Listener()

    /// Who hears of the node's events; it runs on between two runs of the app.
    private final class Listener: @unchecked Sendable {
        private let lock = NSLock()
        private var report: (@Sendable (NodeEvent) -> Void)?

        /// - Returns: who heard of them before.
        func replace(by next: (@Sendable (NodeEvent) -> Void)?) -> (@Sendable (NodeEvent) -> Void)? {
            lock.withLock {
                defer { report = next }
                return report
            }
        }

        var current: (@Sendable (NodeEvent) -> Void)? { lock.withLock { report } }
    }

    init(_ testbed: Testbed) throws {
        node = LdkNode(testbed)
        id = try node.nodeId()
    }

    func start(_ report: @escaping @Sendable (NodeEvent) -> Void) {
        if listener.replace(by: report) == nil { Thread.detachNewThread { [self] in run() } }
    }

    func stop() { _ = listener.replace(by: nil) }

    func channelIds(with nodeId: String) async throws -> [String] {
        try await onThread { [node] in try node.testbed.channelIds(with: nodeId) }
    }

    func connect(_ nodeId: String, at address: String) async throws -> Bool {
        let parts = address.components(separatedBy: ":")
        let peer = PeerAddress(nodeId: nodeId, host: parts[0], port: UInt16(parts[1])!)
        return try await onThread { [node] in try node.connect(peer: peer) }
    }

    func disconnectUnlessNeeded(_ nodeId: String) async throws {
        let peer = PeerAddress(nodeId: nodeId, host: "", port: 1)
        try await onThread { [node] in try node.releasePeer(peer: peer) }
    }

    func send(_ peerId: String, _ messageType: UInt16, _ payload: Data) async throws -> Bool {
        try await onThread { [node] in
            try node.sendPeerMessage(peerId: peerId, messageType: messageType, payload: payload)
        }
    }

    func newP2wpkhScript() -> Data { p2wpkh }

    func isMyPolicy(_ proposal: NodeEvent.Proposal) -> Bool { proposal.capacitySat > 1_000_000 }

    func answer(_ proposal: NodeEvent.Proposal, accept: Bool) {
        decisions.append(accept)
        let body = ["peer_id": proposal.peerId, "channel_id": proposal.temporaryId]
        // The peer may have gone meanwhile; then there is nothing to answer.
        _ = try? node.testbed.post("/wallet/\(accept ? "accept" : "reject")_channel", body)
    }

    func remember(_ peerId: String) { remembered.append(peerId) }

    func warn(_ channel: IncomingChannel) { warnings.append(channel) }

    private func run() {
        while listener.current != nil {
            guard let events = try? node.testbed.get("/wallet/events?wait_ms=100").list("events") else {
                return
            }
            for event in events {
                if let event = try? read(event) { listener.current?(event) }
            }
        }
    }

    private func read(_ event: Json) throws -> NodeEvent {
        let peerId = try event.text("peer_id")
        switch try event.text("type") {
        case "OpenChannelRequest":
            return .openChannelRequest(
                NodeEvent.Proposal(
                    peerId: peerId, temporaryId: try event.text("channel_id"),
                    capacitySat: try event.number("capacity_sat"),
                    isAnnounced: try event.flag("is_announced")))
        case "ChannelPending":
            return .channelPending(
                peerId: peerId, channelId: try event.text("channel_id"),
                temporaryId: event.optionalText("former_channel_id"))
        case "ChannelReady":
            return .channelReady(peerId: peerId, channelId: try event.text("channel_id"))
        case "ChannelClosed":
            return .channelClosed(
                peerId: peerId, channelId: try event.text("channel_id"),
                reason: event.optionalText("reason"))
        case "PeerMessage":
            return .peerMessage(
                peerId: peerId, messageType: UInt16(try event.number("message_type")),
                payload: Data(hex: try event.text("payload_hex")))
        case let type:
            return .peerConnection(peerId: peerId, isConnected: type == "PeerConnected")
        }
    }
}
