import Foundation
import LnurlChannel
import Testing

/// `storageDir`: what a new client, in a new run of the app, finds again.
@Suite struct RestartTests {
    @Test func aWaitingRequestGoesOn() async throws {
        let folder = try TemporaryFolder()
        let testbed = try Testbed()
        let id = try await accepted(testbed, folder)

        let listener = Listener()
        let client = try client(testbed, folder, listener)
        #expect(client.requests().map(\.id) == [id])
        #expect(client.requests()[0].state == .awaiting)
        let request = try #require(client.request(requestId: id))
        let call = Task { try await request.accept() }
        try await listener.changes.first("the wait") { $0.request.isRunning }
        let channel = try channel(testbed)
        #expect(client.reportIncomingChannel(channel: channel) == .expected(requestId: id))
        #expect(try await call.value == .funded(channel: channel))
        #expect(try testbed.callbacks().count == 1)
    }

    @Test func aChannelThatCameMeanwhileIsReturnedAtOnce() async throws {
        let folder = try TemporaryFolder()
        let testbed = try Testbed()
        let id = try await accepted(testbed, folder)

        // No call runs when the channel comes, nor when this client ends.
        var client = try client(testbed, folder)
        let channel = try channel(testbed)
        #expect(client.reportIncomingChannel(channel: channel) == .expected(requestId: id))
        await client.shutdown()

        client = try self.client(testbed, folder)
        let request = try #require(client.request(requestId: id))
        #expect(request.state == .arrived)
        #expect(request.snapshot().channel == channel)
        #expect(try await request.accept() == .funded(channel: channel))
        #expect(!request.snapshot().isDismissed)
        try await request.dismiss()
        await client.shutdown()

        client = try self.client(testbed, folder)
        #expect(client.requests().map(\.isDismissed) == [true])
    }

    @Test func aFolderHasOneClient() async throws {
        let folder = try TemporaryFolder()
        let testbed = try Testbed()
        let first = try client(testbed, folder)
        let error = try await channelError { _ = try client(testbed, folder) }
        guard case .StorageFailed = error else {
            Issue.record("\(error)")
            return
        }
        await first.shutdown()
        _ = try client(testbed, folder)
    }

    /// A request that was awaiting when its client ended, by its id.
    private func accepted(_ testbed: Testbed, _ folder: TemporaryFolder) async throws -> String {
        let scene = try await Scene.make(
            offer: ["habits": ["OkAndNeverOpens"]], testbed: testbed
        ) { $0.storageDir = folder.path }
        let request = scene.request
        let call = Task { try await request.accept() }
        try await scene.listener.hears(.awaiting)
        await scene.client.shutdown()
        #expect(try await channelError { _ = try await call.value } == .Cancelled)
        return request.requestId()
    }

    private func client(
        _ testbed: Testbed, _ folder: TemporaryFolder, _ listener: Listener = Listener()
    ) throws -> ChannelClient {
        try ChannelClient(
            node: PlainNode(), listener: listener,
            config: testbed.config { $0.storageDir = folder.path })
    }

    private func channel(_ testbed: Testbed) throws -> IncomingChannel {
        IncomingChannel(
            peerId: try testbed.target().text("id"), stage: .funded,
            channelId: String(repeating: "01", count: 32))
    }
}
