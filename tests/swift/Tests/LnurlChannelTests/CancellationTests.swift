import Foundation
import LnurlChannel
import Testing

/// `Task.cancel()`, wherever a call may be.
@Suite(.timeLimit(.minutes(2))) struct CancellationTests {
    /// Longest from `cancel()` to the end of the call.
    private let prompt = Duration.milliseconds(100)

    /// Cancels and tells how long the call took to end, which it must with `CancellationError`.
    private func cancelled<T: Sendable>(_ call: Task<T, any Error>) async -> Duration {
        let clock = ContinuousClock()
        let start = clock.now
        call.cancel()
        let result = await call.result
        let took = clock.now - start
        #expect(throws: CancellationError.self) { try result.get() }
        print("cancelled in \(took)")
        return took
    }

    @Test func inTheMiddleOfAFetch() async throws {
        let testbed = try Testbed()
        let client = try ChannelClient(
            node: PlainNode(), listener: Listener(), config: testbed.config())
        let offer = try testbed.offer(["habits": ["SilentCallback"], "fault_step": "offer"])
        let call = Task { try await fetch(offer, with: client) }
        try await testbed.waitForRequests(1)
        #expect(await cancelled(call) < prompt)
    }

    @Test func inTheMiddleOfConnect() async throws {
        let gate = Gate()
        let node = PlainNode(connect: { _ in
            gate.pass()
            return true
        })
        let scene = try await Scene.waiting(node: node)
        let request = scene.request
        let call = Task { try await request.accept() }
        try await node.connecting.first("connect") { _ in true }
        #expect(await cancelled(call) < prompt)
        try await waitUntil("the pause") { request.state == .offered && !request.isRunning }
        #expect(try scene.testbed.callbacks().isEmpty)
        gate.open()
        try await arrives(scene)
        #expect(try scene.testbed.callbacks().count == 1)
    }

    @Test func inTheMiddleOfTheCallback() async throws {
        let scene = try await Scene.make(offer: ["habits": ["SilentCallback"]])
        let request = scene.request
        let call = Task { try await request.accept() }
        try await scene.testbed.waitForRequests(2)
        #expect(await cancelled(call) < prompt)
        try await waitUntil("the pause") { !request.isRunning }
        #expect(request.state == .outcomeUnknown)
        try await arrives(scene)
        #expect(try scene.testbed.callbacks().count == 1)
    }

    @Test func inTheMiddleOfTheWait() async throws {
        let scene = try await Scene.waiting()
        let request = scene.request
        let call = Task { try await request.accept() }
        try await scene.listener.hears(.awaiting)
        #expect(await cancelled(call) < prompt)
        try await waitUntil("the pause") { !request.isRunning }
        #expect(request.state == .awaiting)
        try await arrives(scene)
        #expect(try scene.testbed.callbacks().count == 1)
    }

    @Test func inTheMiddleOfAskingAgain() async throws {
        let scene = try await Scene.waiting()
        let request = scene.request
        try await paused(scene)
        let call = Task { try await request.askAgain() }
        try await scene.testbed.waitForRequests(3)
        #expect(await cancelled(call) < prompt)
        try await waitUntil("the pause") { !request.isRunning }
        try await arrives(scene)
        #expect(try scene.testbed.callbacks().count == 2)
    }

    /// As when a screen is rotated: what waits is cancelled, and begins again at once.
    @Test func aTaskThatIsCancelledAndStartedAgainAsksOnce() async throws {
        let scene = try await Scene.waiting()
        let request = scene.request
        for round in 0..<50 {
            let call = Task { try await request.accept() }
            for _ in 0..<(round * 10) { await Task.yield() }
            call.cancel()
        }
        try await arrives(scene)
        try await asksOnce(scene)
    }

    /// Wherever the cancellation falls, and before the call has begun too.
    @Test func atAnyMoment() async throws {
        let scene = try await Scene.waiting()
        let request = scene.request
        for round in 0..<200 {
            let call = Task { try await request.accept() }
            for _ in 0..<(round % 20) * 20 { await Task.yield() }
            call.cancel()
            await #expect(throws: CancellationError.self) { try await call.value }
        }
        try await waitUntil("the pause") { !request.isRunning }
        try await arrives(scene)
        try await asksOnce(scene)
    }

    /// Each waits through a handle of its own. A pause, and what begins after it, are two changes; a
    /// waiter that leaves others behind changes nothing.
    @Test func onlyTheLastThatLeavesPauses() async throws {
        let scene = try await Scene.waiting()
        let request = scene.request
        var waiter = Task { try await request.accept() }
        try await scene.listener.hears(.awaiting)
        let before = request.snapshot().revision
        let rounds = 20
        for _ in 0..<rounds {
            let handle = try #require(scene.client.request(requestId: request.requestId()))
            let next = Task { try await handle.accept() }
            // Long enough, in most rounds, for `next` to wait already.
            for _ in 0..<200 { await Task.yield() }
            #expect(await cancelled(waiter) < prompt)
            waiter = next
        }
        try await waitUntil("the last to wait") { request.isRunning }
        #expect(request.snapshot().revision < before + 2 * UInt64(rounds))
        #expect(await cancelled(waiter) < prompt)
        try await waitUntil("the pause") { !request.isRunning }
        #expect(try scene.testbed.callbacks().count == 1)
    }

    /// What arrived is not lost to a cancellation that comes too late.
    @Test func anOutcomeIsNotLostToACancellation() async throws {
        let scene = try await Scene.waiting()
        let request = scene.request
        let call = Task { try await request.accept() }
        try await scene.listener.hears(.awaiting)
        _ = try scene.report()
        call.cancel()
        let outcome = try? await call.value
        let again = try await request.accept()
        #expect(try again == .funded(channel: scene.channel()))
        #expect(outcome == nil || outcome == again)
    }

    @Test func aPauseEndsAllWaitersWithCancelled() async throws {
        let scene = try await Scene.waiting()
        let request = scene.request
        let call = Task { try await request.accept() }
        try await scene.listener.hears(.awaiting)
        request.pause()
        #expect(try await channelError { _ = try await call.value } == .Cancelled)
        #expect(request.state == .awaiting)
        #expect(!request.isRunning)
        try await arrives(scene)
    }

    /// `accept` through the protocol, whose methods have no default arguments.
    @Test func theProtocolHasTheSameCalls() async throws {
        let scene = try await Scene.waiting()
        let request: any ChannelRequestProtocol = scene.request
        let call = Task { try await request.accept() }
        try await scene.listener.hears(.awaiting)
        #expect(await cancelled(call) < prompt)
        let client: any ChannelClientProtocol = scene.client
        let lnurl = try decodeLnurl(text: scene.offer.text("lnurl"))
        #expect(try await client.fetch(lnurl: lnurl).requestId() == request.requestId())
        client.reportChannelClosed(peerId: plainNodeId, channelId: nil)
        try await waitUntil("the pause") { !scene.request.isRunning }
        let again = Task { try await request.askAgain() }
        try await scene.testbed.waitForRequests(3)
        #expect(await cancelled(again) < prompt)
    }

    private func asksOnce(_ scene: Scene) async throws {
        // A callback that was cut off on its way may never reach the service, and is not sent again.
        if scene.listener.changes.all.contains(where: { $0.request.state == .awaiting }) {
            try await scene.testbed.waitForRequests(2)
            #expect(try scene.testbed.callbacks().count == 1)
        } else {
            #expect(try scene.testbed.callbacks().count <= 1)
        }
    }

    /// Paused while it waits.
    private func paused(_ scene: Scene) async throws {
        let request = scene.request
        let call = Task { try await request.accept() }
        try await scene.listener.hears(.awaiting)
        request.pause()
        #expect(try await channelError { _ = try await call.value } == .Cancelled)
    }

    /// The request goes on: once the wallet waits again, the channel comes.
    private func arrives(_ scene: Scene) async throws {
        let request = scene.request
        let call = Task { try await request.accept() }
        try await waitUntil("the wait") {
            request.isRunning && [.awaiting, .outcomeUnknown].contains(request.state)
        }
        #expect(try scene.report() == .expected(requestId: request.requestId()))
        #expect(try await call.value == .funded(channel: scene.channel()))
    }
}
