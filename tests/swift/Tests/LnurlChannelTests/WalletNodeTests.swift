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
            case .unsupported: "not supported: no such thing"
            case .foreign: "a bug of the wallet"
            case .foundation: "Cocoa"
            case .cancellation: "CancellationError"
            }
        }
    }

    @Test(arguments: Thrown.allCases) func thrownInNodeId(_ thrown: Thrown) async throws {
        try await assertNodeFailed(PlainNode(nodeId: { throw thrown.error }), thrown)
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
        guard case .NodeFailed(let reason) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(reason.contains(thrown.named), "\(reason)")
        #expect(!reason.contains("\n"))
        #expect(scene.request.state() == .offered)
        #expect(try scene.testbed.callbacks().isEmpty)
    }

    /// An error in the listener changes nothing.
    @Test(arguments: Thrown.allCases) func thrownInTheListener(_ thrown: Thrown) async throws {
        let node = PlainNode(event: { _ in throw thrown.error })
        let scene = try await Scene.make(node: node, offer: ["habits": ["OkAndNeverOpens"]])
        let request = scene.request
        let call = Task { try await request.accept() }
        try await node.events.first("the wait", where: isAwaiting)
        let channel = try scene.proposal()
        let verdict = scene.client.reportIncomingChannel(channel: channel)
        #expect(verdict == .expected(requestId: request.requestId()))
        #expect(try await call.value == .opening(channel: channel))
        try await node.events.first("the arrival") {
            $0.event == .arrived(outcome: .opening(channel: channel))
        }
    }

    @Test func anActorsErrorsArriveToo() async throws {
        let scene = try await Scene.make(node: BlockingWalletNode(ThrowingActor()))
        let error = try await channelError { _ = try await scene.request.accept() }
        guard case .NodeFailed(let reason) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(reason.contains("a bug of the wallet"))
    }

    private actor ThrowingActor: AsyncWalletNode {
        func nodeId() async throws -> String { plainNodeId }
        func connect(peer: PeerAddress) async throws -> Bool { throw WalletBug() }
    }

    /// The client holds no lock while it calls out.
    @Test func theClientMayBeCalledFromWithinCallbacks() async throws {
        let called = Watched<String>()
        let box = ClientBox()
        let node = PlainNode(
            nodeId: {
                called.append("nodeId \(box.client?.unfinishedRequests().count ?? -1)")
                return plainNodeId
            },
            connect: { peer in
                box.client?.checkPeers()
                _ = box.client?.reportPeerMessage(
                    peerId: peer.nodeId, messageType: 1, payload: Data())
                called.append("connect")
                return true
            },
            event: { step in
                let request = box.client?.request(requestId: step.requestId)
                guard let request, case .awaitingChannel = step.event else { return }
                called.append("state \(request.state())")
                let channel = IncomingChannel(
                    peerId: request.offer().peer.nodeId,
                    channelId: String(repeating: "07", count: 32))
                _ = box.client?.reportIncomingChannel(channel: channel)
            })
        let scene = try await Scene.make(node: node, offer: ["habits": ["OkAndNeverOpens"]])
        box.client = scene.client
        guard case .opening(let channel) = try await scene.request.accept() else { return }
        #expect(channel.channelId == String(repeating: "07", count: 32))
        #expect(called.all.contains("nodeId 1"))
        #expect(called.all.contains("connect"))
        #expect(called.all.contains("state awaiting"))
        box.client = nil
    }

    @Test func aCallbackMayPause() async throws {
        let box = ClientBox()
        let node = PlainNode(event: { step in
            guard case .awaitingChannel = step.event else { return }
            _ = box.client?.request(requestId: step.requestId)?.pause()
        })
        let scene = try await Scene.make(node: node, offer: ["habits": ["OkAndNeverOpens"]])
        box.client = scene.client
        #expect(try await channelError { _ = try await scene.request.accept() } == .Cancelled)
        #expect(scene.request.state() == .awaiting)
        box.client = nil
    }

    private final class ClientBox: @unchecked Sendable {
        var client: ChannelClient?
    }
}
