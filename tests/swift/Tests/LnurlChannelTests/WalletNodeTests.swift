import Foundation
import LnurlChannel
import Testing

/// What the wallet's own code throws, and calls.
@Suite struct WalletNodeTests {
    /// An error of the wallet's own, with more to say than fits in a line.
    struct WalletBug: Error, CustomStringConvertible {
        let description = "a bug of the wallet\nand where it is"
    }

    enum Thrown: CaseIterable {
        case failed, unsupported, foreign, foundation, cancellation

        var error: any Error {
            switch self {
            case .failed: WalletNodeError.Failed(reason: "the node is asleep")
            case .unsupported: WalletNodeError.Unsupported(reason: "no such thing")
            case .foreign: WalletBug()
            case .foundation: CocoaError(.fileNoSuchFile)
            case .cancellation: CancellationError()
            }
        }

        var named: String {
            switch self {
            case .failed: "the node is asleep"
            case .unsupported: "no such thing"
            case .foreign: "a bug of the wallet"
            case .foundation: "Cocoa"
            case .cancellation: "CancellationError"
            }
        }
    }

    @Test(arguments: Thrown.allCases) func thrownInNodeId(_ thrown: Thrown) async throws {
        try await assertNodeFailed(PlainNode(nodeId: { throw thrown.error }), thrown)
    }

    @Test(arguments: Thrown.allCases) func thrownInReadiness(_ thrown: Thrown) async throws {
        try await assertNodeFailed(PlainNode(readiness: { throw thrown.error }), thrown)
    }

    @Test(arguments: Thrown.allCases) func thrownInConnect(_ thrown: Thrown) async throws {
        try await assertNodeFailed(PlainNode(connect: { _ in throw thrown.error }), thrown)
    }

    @Test(arguments: Thrown.allCases) func thrownInSendPeerMessage(_ thrown: Thrown) async throws {
        try await assertNodeFailed(
            PlainNode(send: { _ in throw thrown.error }), thrown, kind: "hosted")
    }

    @Test(arguments: Thrown.allCases) func thrownInRefundScript(_ thrown: Thrown) async throws {
        try await assertNodeFailed(
            PlainNode(script: { throw thrown.error }), thrown, kind: "hosted")
    }

    private func assertNodeFailed(
        _ node: PlainNode, _ thrown: Thrown, kind: String = "channel"
    ) async throws {
        let scene = try await Scene.make(node: node, offer: ["kind": kind])
        let error = try await channelError { _ = try await scene.request.accept() }
        guard case .NodeFailed(_, let reason) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(reason.contains(thrown.named), "\(reason)")
        #expect(!reason.contains("\n"))
        #expect(scene.request.state == .offered)
        #expect(try scene.testbed.callbacks().isEmpty)
    }

    /// It is asked after a call that came to nothing. What it throws changes nothing.
    @Test(arguments: Thrown.allCases) func thrownInReleasePeer(_ thrown: Thrown) async throws {
        let scene = try await Scene.waiting(node: PlainNode(release: { throw thrown.error }))
        let request = scene.request
        let call = Task { try await request.accept() }
        try await scene.listener.hears(.awaiting)
        try await request.cancel()
        #expect(try await channelError { _ = try await call.value } == .Cancelled)
        #expect(request.state == .cancelled)
    }

    @Test func aPeerThatNobodyNeedsIsReleased() async throws {
        let node = PlainNode()
        let scene = try await Scene.waiting(node: node)
        let request = scene.request
        let call = Task { try await request.accept() }
        try await scene.listener.hears(.awaiting)
        #expect(node.released.all.isEmpty)
        try await request.cancel()
        _ = await call.result
        let peer = try await node.released.first("the release") { _ in true }
        #expect(peer == request.snapshot().offer.peer)
    }

    /// An error in the listener changes nothing.
    @Test(arguments: Thrown.allCases) func thrownInTheListener(_ thrown: Thrown) async throws {
        let scene = try await Scene.waiting(listener: Listener { _ in throw thrown.error })
        let request = scene.request
        let call = Task { try await request.accept() }
        try await scene.listener.hears(.awaiting)
        #expect(try scene.report() == .expected(requestId: request.requestId()))
        #expect(try await call.value == .funded(channel: scene.channel()))
        try await scene.listener.hears(.arrived)
    }

    @Test func anActorsErrorsArriveToo() async throws {
        let node = BlockingWalletNode(PlainActor(connect: { throw WalletBug() }))
        let scene = try await Scene.make(node: node)
        let error = try await channelError { _ = try await scene.request.accept() }
        guard case .NodeFailed(.notConnected, let reason) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(reason.contains("a bug of the wallet"))
    }

    /// It would run on for ever.
    @Test func aTaskThatTakesTooLongIsCancelled() async throws {
        let cancelled = Watched<Bool>()
        let actor = PlainActor(connect: {
            defer { cancelled.append(Task.isCancelled) }
            try await Task.sleep(nanoseconds: 60_000_000_000)
            return true
        })
        let node = BlockingWalletNode(actor, connectTimeoutSeconds: 1)
        let scene = try await Scene.make(node: node) { $0.connectTimeoutSeconds = 1 }
        let error = try await channelError { _ = try await scene.request.accept() }
        guard case .NodeFailed(.timedOut, _) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(try await cancelled.first("the end of the task") { _ in true })
    }

    private actor PlainActor: AsyncWalletNode {
        private let onConnect: @Sendable () async throws -> Bool

        init(connect: @escaping @Sendable () async throws -> Bool) {
            onConnect = connect
        }

        func nodeId() async throws -> String { plainNodeId }
        func readiness(peer: PeerAddress) async throws -> NodeReadiness {
            NodeReadiness(channelIds: [])
        }
        func connect(peer: PeerAddress) async throws -> Bool { try await onConnect() }
        func releasePeer(peer: PeerAddress) async throws {}
    }

    /// Four short methods; a hosted channel is then not supported.
    @Test func aWalletWithoutHostedChannels() async throws {
        let testbed = try Testbed()
        let client = try ChannelClient(
            node: ShortNode(), listener: Listener(), config: testbed.config())
        let request = try await fetch(testbed.offer(["kind": "hosted"]), with: client)
        let error = try await channelError { _ = try await request.accept() }
        guard case .NodeFailed(.unsupported, _) = error else {
            Issue.record("\(error)")
            return
        }
    }

    private final class ShortNode: WalletNode {
        func nodeId() -> String { plainNodeId }
        func readiness(peer: PeerAddress) -> NodeReadiness { NodeReadiness(channelIds: []) }
        func connect(peer: PeerAddress) -> Bool { true }
        func releasePeer(peer: PeerAddress) {}
    }

    /// The client holds no lock while it calls out.
    @Test func theClientMayBeCalledFromWithinCallbacks() async throws {
        let called = Watched<String>()
        let box = ClientBox()
        let node = PlainNode(
            nodeId: {
                called.append("nodeId \(box.client?.requests().count ?? -1)")
                return plainNodeId
            },
            connect: { peer in
                box.client?.checkPeers()
                _ = box.client?.reportPeerMessage(
                    peerId: peer.nodeId, messageType: 1, payload: Data())
                called.append("connect")
                return true
            })
        let listener = Listener { change in
            guard change.request.state == .awaiting,
                let request = box.client?.request(requestId: change.request.id)
            else { return }
            called.append("listener \(request.snapshot().offer.peer.port > 0)")
            _ = box.client?.reportIncomingChannel(
                channel: IncomingChannel(
                    peerId: change.request.offer.peer.nodeId, stage: .funded,
                    channelId: String(repeating: "07", count: 32)))
        }
        let scene = try await Scene.waiting(node: node, listener: listener)
        box.client = scene.client
        guard case .funded(let channel) = try await scene.request.accept() else {
            Issue.record("not a funded channel")
            return
        }
        #expect(channel.channelId == String(repeating: "07", count: 32))
        #expect(called.all.contains("nodeId 1"))
        #expect(called.all.contains("connect"))
        #expect(called.all.contains("listener true"))
        box.client = nil
    }

    @Test func aCallbackMayPause() async throws {
        let box = ClientBox()
        let listener = Listener { change in
            guard change.request.state == .awaiting, change.request.isRunning else { return }
            box.client?.request(requestId: change.request.id)?.pause()
        }
        let scene = try await Scene.waiting(listener: listener)
        box.client = scene.client
        #expect(try await channelError { _ = try await scene.request.accept() } == .Cancelled)
        #expect(scene.request.state == .awaiting)
        box.client = nil
    }

    private final class ClientBox: @unchecked Sendable {
        var client: ChannelClient?
    }
}
