import Foundation
import LnurlChannel
import Testing

/// `Task.cancel()`, wherever a call may be.
@Suite(.timeLimit(.minutes(2))) struct CancellationTests {
    /// Longest from `cancel()` to the end of the call.
    private let prompt = Duration.milliseconds(100)

    /// Cancels and tells how long the call took to end, which it must with `CancellationError`.
    private func cancelled(_ call: Task<ChannelOutcome, any Error>) async -> Duration {
        let clock = ContinuousClock()
        let start = clock.now
        call.cancel()
        let result = await call.result
        let took = clock.now - start
        #expect(throws: CancellationError.self) { try result.get() }
        print("cancelled in \(took)")
        return took
    }

    @Test func inTheMiddleOfConnect() async throws {
        let gate = Gate()
        let node = PlainNode(connect: { _ in
            gate.pass()
            return true
        })
        let scene = try await Scene.make(node: node, offer: ["habits": ["OkAndNeverOpens"]])
        let request = scene.request
        let call = Task { try await request.acceptOrPause() }
        try await node.connecting.first("connect") { _ in true }
        #expect(await cancelled(call) < prompt)
        #expect(request.state() == .connecting)
        #expect(!request.isRunning())
        #expect(try scene.testbed.callbacks().isEmpty)
        gate.open()
        // Nobody was asked: `accept` may run again.
        try await arrives(scene, node) { try await request.acceptOrPause() }
        #expect(try scene.testbed.callbacks().count == 1)
    }

    @Test func inTheMiddleOfTheCallback() async throws {
        let node = PlainNode()
        let scene = try await Scene.make(node: node, offer: ["habits": ["SilentCallback"]])
        let request = scene.request
        let call = Task { try await request.acceptOrPause() }
        try await scene.testbed.waitForRequests(2)
        #expect(await cancelled(call) < prompt)
        #expect(request.state() == .outcomeUnknown)
        try await arrives(scene, node) { try await request.resumeOrPause() }
        #expect(try scene.testbed.callbacks().count == 1)
    }

    @Test func inTheMiddleOfTheWait() async throws {
        let node = PlainNode()
        let scene = try await Scene.make(node: node, offer: ["habits": ["OkAndNeverOpens"]])
        let request = scene.request
        let call = Task { try await request.acceptOrPause() }
        try await node.events.first("the wait", where: isAwaiting)
        #expect(await cancelled(call) < prompt)
        #expect(request.state() == .awaiting)
        #expect(scene.client.unfinishedRequests().map(\.id) == [request.id])
        try await arrives(scene, node) { try await request.resumeOrPause() }
        #expect(try scene.testbed.callbacks().count == 1)
    }

    @Test func inTheMiddleOfAResume() async throws {
        let node = PlainNode()
        let scene = try await Scene.make(node: node, offer: ["habits": ["OkAndNeverOpens"]])
        let request = scene.request
        let first = Task { try await request.acceptOrPause() }
        try await node.events.first("the wait", where: isAwaiting)
        _ = await cancelled(first)
        let second = Task { try await request.resumeOrPause() }
        try await waitUntil("the resume") { request.isRunning() }
        #expect(await cancelled(second) < prompt)
        try await arrives(scene, node) { try await request.resumeOrPause() }
    }

    /// Wherever the cancellation falls, and before the call has begun too.
    @Test func atAnyMoment() async throws {
        let scene = try await Scene.make(offer: ["habits": ["OkAndNeverOpens"]])
        let request = scene.request
        for round in 0..<200 {
            let call = Task { try await request.acceptOrPause() }
            for _ in 0..<(round % 20) * 20 { await Task.yield() }
            call.cancel()
            await #expect(throws: CancellationError.self) { try await call.value }
            #expect(!request.isRunning())
        }
        let call = Task { try await request.acceptOrPause() }
        try await waitUntil("the wait") { request.isRunning() && request.state() == .awaiting }
        let channel = try scene.proposal()
        _ = scene.client.reportIncomingChannel(channel: channel)
        #expect(try await call.value == .opening(channel: channel))
    }

    /// A pause of an earlier call never hits a later one.
    @Test func aLateCancellationLeavesTheNextCallAlone() async throws {
        let scene = try await Scene.make(offer: ["habits": ["OkAndNeverOpens"]])
        let request = scene.request
        for _ in 0..<100 {
            let call = Task { try await request.acceptOrPause() }
            try await waitUntil("the call") { request.isRunning() }
            call.cancel()
            _ = await call.result
            let next = Task {
                request.state() == .awaiting || request.state() == .outcomeUnknown
                    ? try await request.resume() : try await request.accept()
            }
            try await waitUntil("the next call") { request.isRunning() }
            for _ in 0..<50 { await Task.yield() }
            #expect(request.pause())
            #expect(try await channelError { _ = try await next.value } == .Cancelled)
        }
    }

    /// An `acceptOrPause` that is refused has nothing that its cancellation could end.
    @Test func aCancellationLeavesTheCallBeforeAlone() async throws {
        let node = PlainNode()
        let scene = try await Scene.make(node: node, offer: ["habits": ["OkAndNeverOpens"]])
        let request = scene.request
        let call = Task { try await request.accept() }
        try await node.events.first("the wait", where: isAwaiting)
        let error = try await channelError { _ = try await request.acceptOrPause() }
        #expect(error == .WrongState(state: .awaiting))
        for round in 0..<40 {
            let second = Task { try await request.acceptOrPause() }
            for _ in 0..<(round % 10) { await Task.yield() }
            second.cancel()
            _ = await second.result
        }
        #expect(request.pause())
        #expect(try await channelError { _ = try await call.value } == .Cancelled)
    }

    /// A result is handed over once the wallet has heard of all events; the call has ended before.
    @Test func aCancellationLeavesTheCallAfterAlone() async throws {
        let (events, connect) = (Gate(), Gate())
        let connects = Watched<PeerAddress>()
        let node = PlainNode(
            connect: { peer in
                if !connects.all.isEmpty { connect.pass() }
                connects.append(peer)
                return true
            },
            event: { if isRequesting($0) { events.pass() } })
        let scene = try await Scene.make(node: node, offer: ["habits": ["ErrorAnswer"]])
        let request = scene.request
        let first = Task { try await request.acceptOrPause() }
        try await waitUntil("the refusal") { request.state() == .refused }
        let second = Task { try await request.acceptOrPause() }
        try await waitUntil("the second call") { request.isRunning() }
        first.cancel()
        _ = await first.result
        #expect(request.isRunning())
        events.open()
        connect.open()
        guard case .Refused = try await channelError({ _ = try await second.value }) else {
            Issue.record("the second call was ended")
            return
        }
    }

    /// What joins a call ends with it, and may end it, whichever of the two began it.
    @Test func aCancellationEndsWhatHasJoined() async throws {
        let scene = try await Scene.make(offer: ["habits": ["OkAndNeverOpens"]])
        let request = scene.request
        let first = Task { try await request.acceptOrPause() }
        try await waitUntil("the wait") { request.isRunning() && request.state() == .awaiting }
        let joined = Task { try await request.resumeOrPause() }
        try await Task.sleep(nanoseconds: 50_000_000)
        #expect(await cancelled(first) < prompt)
        #expect(try await channelError { _ = try await joined.value } == .Cancelled)
        let again = Task { try await request.resumeOrPause() }
        try await waitUntil("the resume") { request.isRunning() }
        let last = Task { try await request.resumeOrPause() }
        try await Task.sleep(nanoseconds: 50_000_000)
        #expect(await cancelled(last) < prompt)
        #expect(try await channelError { _ = try await again.value } == .Cancelled)
    }

    /// What arrived is not lost to a cancellation that comes too late.
    @Test func anOutcomeWinsOverACancellation() async throws {
        let node = PlainNode()
        let scene = try await Scene.make(node: node, offer: ["habits": ["OkAndNeverOpens"]])
        let request = scene.request
        let call = Task { try await request.acceptOrPause() }
        try await node.events.first("the wait", where: isAwaiting)
        let channel = try scene.proposal()
        _ = scene.client.reportIncomingChannel(channel: channel)
        call.cancel()
        let outcome = try? await call.value
        let again = try await request.resumeOrPause()
        #expect(again == .opening(channel: channel))
        #expect(outcome == nil || outcome == again)
    }

    @Test func aPauseOfSomebodyElseIsNoCancellation() async throws {
        let node = PlainNode()
        let scene = try await Scene.make(node: node, offer: ["habits": ["OkAndNeverOpens"]])
        let request = scene.request
        let call = Task { try await request.acceptOrPause() }
        try await node.events.first("the wait", where: isAwaiting)
        #expect(request.pause())
        #expect(try await channelError { _ = try await call.value } == .Cancelled)
    }

    /// The request goes on: once the wallet waits again, the channel comes.
    private func arrives(
        _ scene: Scene, _ node: PlainNode,
        _ call: @escaping @Sendable () async throws -> ChannelOutcome
    ) async throws {
        let task = Task { try await call() }
        let request = scene.request
        try await waitUntil("the call") {
            request.isRunning() && [.awaiting, .outcomeUnknown].contains(request.state())
        }
        let channel = try scene.proposal()
        let verdict = scene.client.reportIncomingChannel(channel: channel)
        #expect(verdict == .expected(requestId: request.requestId()))
        #expect(try await task.value == .opening(channel: channel))
    }
}
