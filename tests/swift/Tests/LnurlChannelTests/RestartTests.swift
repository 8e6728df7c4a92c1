import Foundation
import LnurlChannel
import Testing

/// `storageDir`: what a new client, in a new run of the app, finds again.
@Suite struct RestartTests {
    @Test func aWaitingRequestGoesOn() async throws {
        let folder = try TemporaryFolder()
        let testbed = try Testbed()
        let id = try await accepted(testbed, folder)

        let node = PlainNode()
        let client = try ChannelClient(
            node: node, config: testbed.config { $0.storageDir = folder.path })
        let request = try #require(client.unfinishedRequests().first)
        #expect(request.id == id)
        #expect(request.state() == .awaiting)
        let call = Task { try await request.resumeOrPause() }
        try await node.events.first("the wait", where: isAwaiting)
        let channel = IncomingChannel(
            peerId: request.offer().peer.nodeId, channelId: String(repeating: "01", count: 32))
        #expect(client.reportIncomingChannel(channel: channel) == .expected(requestId: id))
        #expect(try await call.value == .opening(channel: channel))
        #expect(client.unfinishedRequests().isEmpty)
        #expect(try testbed.callbacks().count == 1)
    }

    @Test func aChannelThatCameMeanwhileIsReturnedAtOnce() async throws {
        let folder = try TemporaryFolder()
        let testbed = try Testbed()
        let id = try await accepted(testbed, folder)

        // No call runs when the channel comes, nor when this client ends.
        var client = try ChannelClient(
            node: PlainNode(), config: testbed.config { $0.storageDir = folder.path })
        let channel = IncomingChannel(
            peerId: try testbed.target().text("id"), channelId: String(repeating: "01", count: 32))
        #expect(client.reportIncomingChannel(channel: channel) == .expected(requestId: id))
        await client.shutdown()

        client = try ChannelClient(
            node: PlainNode(), config: testbed.config { $0.storageDir = folder.path })
        let request = try #require(client.unfinishedRequests().first)
        #expect(request.state() == .arrived)
        #expect(request.outcome() == .opening(channel: channel))
        #expect(try await request.resume() == .opening(channel: channel))
        #expect(client.unfinishedRequests().isEmpty)
    }

    @Test func aFolderHasOneClient() async throws {
        let folder = try TemporaryFolder()
        let config = ClientConfig(storageDir: folder.path)
        let first = try ChannelClient(node: PlainNode(), config: config)
        let error = try await channelError {
            _ = try ChannelClient(node: PlainNode(), config: config)
        }
        guard case .StorageFailed = error else {
            Issue.record("\(error)")
            return
        }
        await first.shutdown()
        _ = try ChannelClient(node: PlainNode(), config: config)
    }

    /// A request that was awaiting when its client ended, by its id.
    private func accepted(_ testbed: Testbed, _ folder: TemporaryFolder) async throws -> String {
        let node = PlainNode()
        let scene = try await Scene.make(
            node: node, offer: ["habits": ["OkAndNeverOpens"]], testbed: testbed
        ) { $0.storageDir = folder.path }
        let request = scene.request
        let call = Task { try await request.acceptOrPause() }
        try await node.events.first("the wait", where: isAwaiting)
        await scene.client.shutdown()
        #expect(try await channelError { _ = try await call.value } == .Cancelled)
        return request.requestId()
    }
}
