import Foundation
import LnurlChannel
import Testing

/// Each verdict once, on the real library. Which channel gets which is tested in Rust.
@Suite struct VerdictTests {
    @Test func expectedThenDuplicate() async throws {
        let scene = try await Scene.waiting()
        let call = try await accepting(scene)
        let id = scene.request.requestId()
        #expect(try scene.report(1, .proposed) == .expected(requestId: id))
        #expect(scene.request.state == .opening)
        #expect(try scene.report(2) == .expected(requestId: id))
        #expect(try await call.value == .funded(channel: scene.channel(2)))
        #expect(try scene.report(3) == .duplicate(requestId: id))
        // What is known keeps its verdict.
        #expect(try scene.report(2) == .expected(requestId: id))
    }

    @Test func wrongVisibility() async throws {
        let scene = try await Scene.waiting()
        let call = try await accepting(scene)
        let verdict = try scene.report(1, .proposed, isAnnounced: true)
        #expect(verdict == .wrongVisibility(requestId: scene.request.requestId()))
        let concerns = scene.request.snapshot().concerns
        #expect(concerns.contains(.otherVisibilityProposed))
        scene.request.pause()
        #expect(try await channelError { _ = try await call.value } == .Cancelled)
    }

    @Test func unwanted() async throws {
        let scene = try await Scene.waiting()
        let call = try await accepting(scene)
        try await scene.request.cancel()
        #expect(try await channelError { _ = try await call.value } == .Cancelled)
        #expect(try scene.report(1, .proposed) == .unwanted(requestId: scene.request.requestId()))
        #expect(try scene.report(2) == .unwanted(requestId: scene.request.requestId()))
    }

    @Test func unrequested() async throws {
        let scene = try await Scene.waiting()
        #expect(try scene.report(1, .proposed) == .unrequested)
        #expect(try scene.report(2) == .unrequested)
        #expect(scene.request.state == .offered)
    }

    /// The request waits again, and takes another.
    @Test func aChannelThatClosesBeforeItIsReadyIsLost() async throws {
        let scene = try await Scene.waiting()
        let call = try await accepting(scene)
        _ = try scene.report(1)
        _ = try await call.value
        let channel = try scene.channel(1)
        scene.client.reportChannelClosed(peerId: channel.peerId, channelId: channel.channelId)
        #expect(scene.request.state == .awaiting)
        #expect(try scene.report(2) == .expected(requestId: scene.request.requestId()))
        #expect(try await scene.request.accept() == .funded(channel: scene.channel(2)))
        #expect(try scene.testbed.callbacks().count == 1)
    }

    private func accepting(_ scene: Scene) async throws -> Task<ChannelOutcome, any Error> {
        let request = scene.request
        let call = Task { try await request.accept() }
        try await scene.listener.hears(.awaiting)
        return call
    }
}
