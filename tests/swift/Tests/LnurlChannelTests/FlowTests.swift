import Foundation
import LnurlChannel
import Testing

/// Both flows, from the scanned text to what the peer really sends.
@Suite struct FlowTests {
    @Test func aFundedChannelEndsInARealOpenChannel() async throws {
        let testbed = try Testbed()
        let node = LdkNode(testbed)
        let events = ChannelEvents()
        let scene = try await Scene.make(
            node: events.following(node), offer: ["push_msat": 7_000], testbed: testbed)
        let pump = Pump(testbed, scene.client)
        let offer = scene.request.offer()
        #expect(offer.kind == .funded)
        #expect(try offer.peer.nodeId == testbed.target().text("id"))
        let steps = events.of(scene.request)

        guard case .opening(let channel) = try await scene.request.accept() else {
            Issue.record("not a funded channel")
            return
        }
        #expect(channel.peerId == offer.peer.nodeId)
        #expect(channel.pushMsat == 7_000)
        #expect(scene.request.state() == .arrived)
        try await pump.verdicts.first("the expected channel") {
            $0 == .expected(requestId: scene.request.requestId())
        }

        events.finish()
        var seen: [ChannelEvent] = []
        for await step in steps { seen.append(step) }
        #expect(seen.first == .connecting(peer: offer.peer))
        #expect(seen.contains(.requesting(peer: offer.peer)))
        #expect(seen.last == .arrived(outcome: .opening(channel: channel)))
        #expect(node.events.all.map(\.event) == seen)

        let k1 = try scene.offer.text("k1")
        let nodeId = try testbed.wallet().text("id")
        #expect(
            try testbed.callbacks()
                == ["/callback/\(scene.offer.number("id"))?k1=\(k1)&remoteid=\(nodeId)&private=1"])
    }

    @Test func aHostedChannelEndsInARealInitHostedChannel() async throws {
        let testbed = try Testbed()
        let scene = try await Scene.make(
            node: LdkNode(testbed), offer: ["kind": "hosted", "push_msat": 5_000], testbed: testbed)
        let pump = Pump(testbed, scene.client)
        #expect(scene.request.offer().kind == .hosted)
        #expect(scene.request.offer().callbackHost == nil)

        guard case .hostedOffered(let terms, let message) = try await scene.request.accept() else {
            Issue.record("no hosted channel")
            return
        }
        #expect(terms.initialClientBalanceMsat == 5_000)
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
        guard case .opening(let channel) = try await scene.request.accept(visibility: .announced)
        else { return }
        #expect(channel.isAnnounced == true)
        #expect(try testbed.callbacks()[0].hasSuffix("&private=0"))
        withExtendedLifetime(pump) {}
    }

    @Test func anActorLendsItsNode() async throws {
        let testbed = try Testbed()
        let node = ActorNode(LdkNode(testbed))
        let client = try ChannelClient(node: node, config: testbed.config())
        let pump = Pump(testbed, client)
        let request = try await fetch(testbed.offer(), with: client)
        guard case .opening = try await request.accept() else {
            Issue.record("no channel")
            return
        }
        await #expect(node.connects == 1)
        let hosted = try await fetch(testbed.offer(["kind": "hosted"]), with: client)
        // The actor implements no custom messages.
        let error = try await channelError { _ = try await hosted.accept() }
        guard case .NodeFailed(let reason) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(reason.contains("not supported"))
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

    func connect(peer: PeerAddress) async throws -> Bool {
        connects += 1
        return try await onThread { [node] in try node.connect(peer: peer) }
    }
}
