import Foundation
import LnurlChannel
import Testing

/// Both flows, from the scanned text to what the peer really sends.
@Suite struct FlowTests {
    @Test func aFundedChannelArrivesAndBecomesReady() async throws {
        let testbed = try Testbed()
        let scene = try await Scene.make(
            node: LdkNode(testbed), offer: ["push_msat": 7_000], testbed: testbed)
        let pump = Pump(testbed, scene.client)
        let request = scene.request
        let offer = request.snapshot().offer
        #expect(offer.kind == .funded)
        #expect(try offer.peer.nodeId == testbed.target().text("id"))
        #expect(scene.client.requests().isEmpty)

        #expect(try await request.preflight().isEmpty)
        guard case .funded(let channel) = try await request.accept() else {
            Issue.record("not a funded channel")
            return
        }
        #expect(channel.peerId == offer.peer.nodeId)
        #expect(channel.pushMsat == 7_000)
        #expect(channel.stage == .funded)
        #expect(request.snapshot().channel == channel)
        #expect(request.snapshot().visibility == .unannounced)
        #expect(scene.client.requests() == [request.snapshot()])
        #expect(pump.verdicts.all.contains(.expected(requestId: request.requestId())))

        let left = Task { try await request.awaitReady() }
        try await scene.listener.changes.first("it awaits the channel") {
            $0.request.state == .arrived && $0.request.isRunning
        }
        left.cancel()
        await #expect(throws: CancellationError.self) { try await left.value }
        let ready = Task { try await request.awaitReady() }
        // The target broadcasts once both have signed.
        try await testbed.waitForTarget("ChannelPending")
        try testbed.post("/mine")
        #expect(try await ready.value.stage == .ready)
        try await scene.listener.hears(.ready)
        #expect(request.snapshot().channel?.stage == .ready)
        #expect(request.receipt().contains("\"Ready\""))
        try await request.dismiss()
        #expect(request.snapshot().isDismissed)

        let k1 = try scene.offer.text("k1")
        let nodeId = try testbed.wallet().text("id")
        #expect(
            try testbed.callbacks()
                == ["/callback/\(scene.offer.number("id"))?k1=\(k1)&remoteid=\(nodeId)&private=1"])
    }

    /// One call at a time, each with a later snapshot than the one before.
    @Test func theListenerHearsAllInOrder() async throws {
        let testbed = try Testbed()
        let scene = try await Scene.make(node: LdkNode(testbed), testbed: testbed)
        let pump = Pump(testbed, scene.client)
        let request = scene.request
        _ = try await request.accept()
        try await scene.listener.changes.first("the last change") {
            $0.request == request.snapshot()
        }
        let heard = scene.listener.changes.all
        let revisions = heard.map(\.request.revision)
        #expect(zip(revisions, revisions.dropFirst()).allSatisfy { $0 < $1 })
        #expect(heard.allSatisfy { $0.request.requestId == request.requestId() })
        let order: [ChannelRequestState] = [
            .offered, .connecting, .requesting, .awaiting, .opening, .arrived,
        ]
        let states = heard.map(\.request.state)
        #expect(states == states.sorted { order.firstIndex(of: $0)! < order.firstIndex(of: $1)! })
        #expect(states.last == .arrived)
        withExtendedLifetime(pump) {}
    }

    @Test func aHostedChannelIsOffered() async throws {
        let testbed = try Testbed()
        let scene = try await Scene.make(
            node: LdkNode(testbed), offer: ["kind": "hosted", "push_msat": 5_000], testbed: testbed)
        let pump = Pump(testbed, scene.client)
        #expect(scene.request.snapshot().offer.kind == .hosted)
        #expect(scene.request.snapshot().offer.callbackHost == nil)

        guard case .hostedOffered(let terms, let message) = try await scene.request.accept() else {
            Issue.record("no hosted channel")
            return
        }
        #expect(terms.initialClientBalanceMsat == 5_000)
        #expect(scene.request.snapshot().hostedTerms == terms)
        #expect(message.count >= 36)
        let invocations = try testbed.get("/target/invocations").list("invocations")
        #expect(invocations.count == 1)
        #expect(try invocations[0].text("payload_hex").contains(p2wpkh.hex))
        withExtendedLifetime(pump) {}
    }

    @Test func aHostedChannelThatExistsComesBack() async throws {
        let testbed = try Testbed()
        let scene = try await Scene.make(
            node: LdkNode(testbed),
            offer: ["kind": "hosted", "habits": ["HostedChannelExists"]], testbed: testbed)
        let pump = Pump(testbed, scene.client)
        guard case .hostedExists(let message) = try await scene.request.accept() else {
            Issue.record("no hosted channel")
            return
        }
        #expect(!message.isEmpty)
        withExtendedLifetime(pump) {}
    }

    @Test func anAnnouncedChannelIsAskedForAsSuch() async throws {
        let testbed = try Testbed()
        let scene = try await Scene.make(node: LdkNode(testbed), testbed: testbed)
        let pump = Pump(testbed, scene.client)
        guard case .funded(let channel) = try await scene.request.accept(visibility: .announced)
        else {
            Issue.record("not a funded channel")
            return
        }
        #expect(channel.isAnnounced == true)
        #expect(try testbed.callbacks()[0].hasSuffix("&private=0"))
        withExtendedLifetime(pump) {}
    }

    /// Between the proposal and the funding an opening can still fail.
    @Test func aProposalThatFailsIsNoEnd() async throws {
        let testbed = try Testbed()
        let scene = try await Scene.make(
            node: LdkNode(testbed), offer: ["habits": ["DropsConnectionBeforeFunding"]],
            testbed: testbed)
        let pump = Pump(testbed, scene.client)
        guard case .funded = try await scene.request.accept() else {
            Issue.record("not a funded channel")
            return
        }
        // Two proposals, and the channel.
        let expected = ChannelVerdict.expected(requestId: scene.request.requestId())
        #expect(pump.verdicts.all.filter { $0 == expected }.count == 3)
        #expect(try testbed.callbacks().count == 1)
    }

    @Test func aWalletGoesOnFromAnAnswerThatItFetchedItself() async throws {
        let testbed = try Testbed()
        let client = try ChannelClient(
            node: PlainNode(), listener: Listener(), config: testbed.config())
        let lnurl = try decodeLnurl(text: testbed.offer().text("lnurl"))
        let peer = try testbed.target().text("uri")
        let answer = """
            {"tag": "channelRequest", "uri": "\(peer)", "k1": "none", \
            "callback": "\(try testbed.info.text("service_url"))/callback"}
            """
        let request = try client.takeAnswer(lnurl: lnurl, answer: answer)
        #expect(request.snapshot().offer.kind == .funded)
        #expect(try request.snapshot().offer.peer.nodeId == testbed.target().text("id"))
        #expect(request.snapshot().offer.service == lnurl.authority())
    }

    @Test func anActorLendsItsNode() async throws {
        let testbed = try Testbed()
        let node = ActorNode(LdkNode(testbed))
        let client = try ChannelClient(
            node: node, listener: Listener(), config: testbed.config())
        let pump = Pump(testbed, client)
        let request = try await fetch(testbed.offer(), with: client)
        guard case .funded = try await request.accept() else {
            Issue.record("no channel")
            return
        }
        await #expect(node.connects == 1)
        let hosted = try await fetch(testbed.offer(["kind": "hosted"]), with: client)
        // The actor implements no custom messages.
        let error = try await channelError { _ = try await hosted.accept() }
        guard case .NodeFailed(.unsupported, let reason) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(reason.contains("this wallet has no hosted channels"))
        withExtendedLifetime(pump) {}
    }
}

private actor ActorNode: AsyncWalletNode {
    private let node: LdkNode
    private(set) var connects = 0

    init(_ node: LdkNode) {
        self.node = node
    }

    func nodeId() async throws -> String {
        try node.nodeId()
    }

    func readiness(peer: PeerAddress) async throws -> NodeReadiness {
        try await onThread { [node] in try node.readiness(peer: peer) }
    }

    func connect(peer: PeerAddress) async throws -> Bool {
        connects += 1
        return try await onThread { [node] in try node.connect(peer: peer) }
    }

    func releasePeer(peer: PeerAddress) async throws {
        try await onThread { [node] in try node.releasePeer(peer: peer) }
    }
}
