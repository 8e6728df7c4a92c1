import LnurlChannel
import LnurlChannelTesting
import Testing

/// The streams of steps, without a client.
@Suite struct EventsTests {
    private let connecting = ChannelEvent.connecting(peer: .fake)
    private let requesting = ChannelEvent.requesting(peer: .fake)

    @Test func eachListenerHasAllStepsInOrder() async {
        let events = ChannelEvents()
        let request = FakeChannelRequest(requestId: "one")
        let (all, alsoAll, one) = (events.all(), events.all(), events.of(request))
        events.send(requestId: "one", event: connecting)
        events.send(requestId: "two", event: connecting)
        events.send(requestId: "one", event: requesting)
        events.finish()
        let expected = [
            RequestEvent(requestId: "one", event: connecting),
            RequestEvent(requestId: "two", event: connecting),
            RequestEvent(requestId: "one", event: requesting),
        ]
        #expect(await collected(all) == expected)
        #expect(await collected(alsoAll) == expected)
        #expect(await collected(one) == [connecting, requesting])
    }

    @Test func aStreamEndsWithTheTaskThatReadsIt() async {
        let events = ChannelEvents()
        let stream = events.all()
        let reader = Task { await collected(stream) }
        events.send(requestId: "one", event: connecting)
        reader.cancel()
        #expect(await reader.value.count <= 1)
        // Nobody listens any more.
        events.send(requestId: "one", event: requesting)
    }

    @Test func theNodeHearsToo() async throws {
        let events = ChannelEvents()
        let node = PlainNode()
        let followed = events.following(node)
        let stream = events.all()
        try followed.onChannelEvent(requestId: "one", event: connecting)
        #expect(try followed.nodeId() == plainNodeId)
        #expect(try followed.connect(peer: .fake))
        events.finish()
        #expect(await collected(stream) == node.events.all)
    }

    private func collected<T: Sendable>(_ stream: AsyncStream<T>) async -> [T] {
        await stream.reduce(into: []) { $0.append($1) }
    }
}
