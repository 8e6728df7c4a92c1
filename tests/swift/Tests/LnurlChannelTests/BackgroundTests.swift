import Foundation
import LnurlChannelTesting
import Testing

@testable import LnurlChannel

/// Going on with what waits: with fakes in virtual time, then on the real library.
@Suite(.timeLimit(.minutes(1))) struct BackgroundTests {
    private let clock = VirtualClock()
    private let quarter: TimeInterval = 15 * 60

    private func request(
        _ state: ChannelRequestState, _ offer: ChannelOffer = .fake
    ) -> FakeChannelRequest {
        let snapshot = ChannelRequestSnapshot.fake(offer: offer, state: state) {
            $0.createdAtSeconds = UInt64(Date().timeIntervalSince1970)
        }
        return FakeChannelRequest(snapshot, clock: clock)
    }

    /// As `goOnInBackground`, with 25 seconds on the virtual clock.
    private func inBackground(
        _ client: FakeChannelClient, _ onOutcome: @escaping OutcomeHandler = { _, _ in }
    ) -> Task<TimeInterval?, Never> {
        Task { [clock] in
            await client.goOnInBackground(onOutcome: onOutcome) {
                try await clock.sleep(for: .seconds(25))
            }
        }
    }

    @Test func inTheBackgroundItWaitsFor25SecondsForAwaitedChannelsOnly() async {
        let states: [ChannelRequestState] = [
            .offered, .connecting, .requesting, .awaiting, .outcomeUnknown, .opening, .arrived, .ready,
            .refused, .cancelled,
        ]
        let requests = states.map { request($0) }
        for request in requests {
            request.acceptReturns(.fake, after: .seconds(1000))
            request.awaitReadyReturns(.fake, after: .seconds(1000))
        }
        let client = FakeChannelClient(requests: requests, clock: clock)
        let run = inBackground(client)
        await clock.sleepers(4)
        clock.advance(by: .seconds(25))
        #expect(await run.value == quarter)
        let accepted = requests.filter { !$0.accepts.isEmpty }.map { $0.snapshot().state }
        #expect(accepted == [.awaiting, .outcomeUnknown, .opening])
        #expect(requests.allSatisfy { $0.awaitsReady == 0 })
        #expect(client.peerChecks == 1)
    }

    @Test func itEndsSoonerWhenNothingWaitsAnyMoreAndNeedNotComeBack() async {
        let funded = request(.awaiting)
        funded.acceptReturns(.fake, after: .seconds(10))
        let hosted = request(.outcomeUnknown, .fakeHosted)
        hosted.acceptReturns(.fakeHosted, after: .seconds(4))
        let outcomes = Watched<ChannelOutcome>()
        let client = FakeChannelClient(requests: [funded, hosted], clock: clock)
        let run = inBackground(client) { request, outcome in
            (request as? FakeChannelRequest)?.becomes { $0.state = .arrived }
            outcomes.append(outcome)
        }
        await clock.sleepers(3)
        clock.advance(by: .seconds(10))
        #expect(await run.value == nil)
        #expect(Set(outcomes.all) == [.fake, .fakeHosted])
    }

    @Test func aHostedChannelThatHasComeIsToldEachTimeUntilTheRequestIsDismissed() async {
        let hosted = request(.arrived, .fakeHosted)
        hosted.acceptReturns(.fakeHosted)
        let client = FakeChannelClient(requests: [hosted], clock: clock)
        let outcomes = Watched<ChannelOutcome>()
        let onOutcome: OutcomeHandler = { _, outcome in outcomes.append(outcome) }
        await client.goOn(onOutcome: onOutcome)
        #expect(outcomes.all == [.fakeHosted])
        #expect(await inBackground(client, onOutcome).value == nil)
        #expect(outcomes.all == [.fakeHosted, .fakeHosted])
        hosted.becomes { $0.isDismissed = true }
        await client.goOn(onOutcome: onOutcome)
        _ = await inBackground(client, onOutcome).value
        #expect(outcomes.all.count == 2)
        #expect((hosted.accepts.count, hosted.awaitsReady) == (2, 0))
    }

    @Test func aCallThatFailsEndsNoOther() async {
        let failing = request(.awaiting)
        failing.acceptThrows(.NodeFailed(problem: .notConnected, reason: "no network"))
        let waiting = request(.awaiting)
        waiting.acceptReturns(.fake, after: .seconds(20))
        let outcomes = Watched<ChannelOutcome>()
        let client = FakeChannelClient(requests: [failing, waiting], clock: clock)
        let run = inBackground(client) { _, outcome in outcomes.append(outcome) }
        await clock.sleepers(2)
        clock.advance(by: .seconds(20))
        #expect(await run.value == quarter)
        #expect(outcomes.all == [.fake])
    }

    @Test func inTheForegroundItGoesOnUntilTheChannelCanBeUsed() async {
        let awaited = request(.awaiting)
        awaited.acceptReturns(.fake, after: .seconds(60))
        let arrived = request(.arrived)
        let hosted = request(.arrived, .fakeHosted)
        hosted.acceptReturns(.fakeHosted)
        for request in [awaited, arrived] {
            request.awaitReadyReturns(.fake, after: .seconds(10_000))
        }
        let client = FakeChannelClient(requests: [awaited, arrived, hosted], clock: clock)
        let run = Task {
            await client.goOn { request, _ in
                (request as? FakeChannelRequest)?.becomes { $0.state = .arrived }
            }
        }
        await clock.sleepers(2)
        clock.advance(by: .seconds(60))
        await clock.sleepers(2)
        clock.advance(by: .seconds(10_000))
        await run.value
        #expect([awaited, arrived, hosted].map(\.awaitsReady) == [1, 1, 0])
        #expect([awaited, arrived, hosted].map(\.accepts.count) == [1, 0, 1])
    }

    @Test func aCancelledRunEndsItsWaits() async {
        let request = request(.awaiting)
        request.acceptReturns(.fake, after: .seconds(1000))
        let run = inBackground(FakeChannelClient(requests: [request], clock: clock))
        await clock.sleepers(2)
        run.cancel()
        #expect(await run.value == quarter)
    }

    @Test func theLongerAChannelDoesNotComeTheLongerItMayBeLeft() {
        let rows: [(hours: [Double], left: TimeInterval)] = [
            ([0], quarter),
            // The clock was set.
            ([-1], quarter),
            ([1], quarter),
            ([4], 3600),
            // The newest decides.
            ([400, 4], 3600),
            ([400], 12 * 3600),
        ]
        for row in rows { #expect(comeBackIn(row.hours) == row.left) }
        #expect(comeBackIn([]) == nil)
        #expect(comeBackIn([1], .arrived) == nil)
    }

    @Test func aCallThatIsStillAskingMayAwaitItsChannelByThen() {
        for state in [ChannelRequestState.connecting, .requesting] {
            #expect(comeBackIn([4], state, isRunning: true) == 3600)
            #expect(comeBackIn([4], state) == nil, "nobody will ask")
        }
        for state in [ChannelRequestState.offered, .arrived] {
            #expect(comeBackIn([4], state, isRunning: true) == nil)
        }
    }

    private func comeBackIn(
        _ hours: [Double], _ state: ChannelRequestState = .awaiting, isRunning: Bool = false
    ) -> TimeInterval? {
        let requests = hours.map { hours in
            FakeChannelRequest(
                .fake(state: state) {
                    $0.createdAtSeconds = UInt64(2_000_000_000 - hours * 3600)
                    $0.isRunning = isRunning
                })
        }
        let now = Date(timeIntervalSince1970: 2_000_000_000)
        return FakeChannelClient(requests: requests).comeBackIn(now: now)
    }

    @Test func onTheRealLibraryItAsksNobodyAndPausesWhatNobodyElseWaitsFor() async throws {
        let scene = try await Scene.waiting()
        let (alone, client) = (scene.request, scene.client)
        let offer = try scene.testbed.offer(["habits": ["OkAndNeverOpens"]])
        let shared = try await fetch(offer, with: client)
        let calls = [alone, shared].map { request in Task { try await request.accept() } }
        try await waitUntil("both wait") { [alone, shared].allSatisfy { $0.state == .awaiting } }
        alone.pause()
        await #expect(throws: LnurlChannelError.Cancelled) { try await calls[0].value }

        #expect(await client.goOnInBackground(limit: 0.3) == quarter)

        #expect(!alone.isRunning)
        #expect(shared.isRunning, "the screen waits for it")
        #expect(try scene.testbed.callbacks().count == 2)
        client.pauseAll()
        await #expect(throws: LnurlChannelError.Cancelled) { try await calls[1].value }
        #expect([alone, shared].allSatisfy { $0.state == .awaiting })
    }

    @Test func onTheRealLibraryAMessageThatCameWhileNoCallRanIsToldAfterARestartToo() async throws {
        let folder = try TemporaryFolder()
        let scene = try await Scene.make(offer: ["kind": "hosted"]) { $0.storageDir = folder.path }
        let call = Task { try await scene.request.accept() }
        try await scene.listener.hears(.awaiting)
        scene.request.pause()
        await #expect(throws: LnurlChannelError.Cancelled) { try await call.value }
        // An `init_hosted_channel` of nothing but ones (bLIP-17).
        let message = Data(repeating: 1, count: 36)
        let target = try scene.testbed.target().text("id")
        #expect(scene.client.reportPeerMessage(peerId: target, messageType: 65_533, payload: message))
        #expect(scene.request.state == .arrived)
        #expect(await messages(scene.client) == [message])
        await scene.client.shutdown()

        let next = try ChannelClient(
            node: PlainNode(), listener: Listener(),
            config: scene.testbed.config { $0.storageDir = folder.path })
        #expect(await messages(next) == [message])
        #expect(await messages(next) == [message], "it is not dismissed yet")
        try await next.request(requestId: scene.request.requestId())?.dismiss()
        #expect(await messages(next) == [])
        await next.shutdown()
    }

    /// What `goOn` hands over.
    private func messages(_ client: ChannelClient) async -> [Data] {
        let messages = Watched<Data>()
        await client.goOn { _, outcome in
            if case .hostedOffered(_, let message) = outcome { messages.append(message) }
        }
        return messages.all
    }

    @Test func onRealNodesItGoesOnUntilTheChannelCanBeUsed() async throws {
        let testbed = try Testbed()
        let scene = try await Scene.make(node: LdkNode(testbed), testbed: testbed)
        let pump = Pump(testbed, scene.client)
        _ = try await scene.request.accept()
        let run = Task { await scene.client.goOn() }
        // The target broadcasts once both have signed.
        try await testbed.waitForTarget("ChannelPending")
        try testbed.post("/mine")
        await run.value
        #expect(scene.request.state == .ready)
        withExtendedLifetime(pump) {}
    }

    @Test func theFolderIsMadeOnce() async throws {
        let parent = URL(fileURLWithPath: try TemporaryFolder().path)
        let folder = try channelFolder(in: parent)
        defer { try? FileManager.default.removeItem(at: parent) }
        #expect(folder.path == parent.appendingPathComponent("channels").path)
        #expect(try channelFolder(in: parent) == folder)
        #expect(try channelFolder(named: "second", in: parent) != folder)
        let client = try ChannelClient(
            node: PlainNode(), listener: Listener(), config: ClientConfig(storageDir: folder.path))
        await client.shutdown()
        let file = parent.appendingPathComponent("file")
        try Data().write(to: file)
        do {
            _ = try channelFolder(named: "file", in: parent)
            Issue.record("a file is no folder")
        } catch LnurlChannelError.StorageFailed {
            // As it should be.
        }
    }
}

/// What an iOS app does as it leaves the foreground and comes back.
@MainActor
@Suite(.timeLimit(.minutes(1))) struct BackgroundWaitsTests {
    /// The system's time, as the test gives it.
    private final class Time: BackgroundTime {
        var isThere = true
        private(set) var begun = 0
        private(set) var ended: [Int] = []
        private(set) var expire: (@MainActor () -> Void)?

        func beginBackgroundTime(onExpiration: @escaping @MainActor () -> Void) -> Int? {
            begun += 1
            expire = onExpiration
            return isThere ? begun : nil
        }

        func endBackgroundTime(_ id: Int) {
            ended.append(id)
        }
    }

    private let clock = VirtualClock()
    private let requests = ChannelRequests()
    private let time = Time()

    private let outcomes = Watched<ChannelOutcome>()

    private func waits(_ fakes: FakeChannelRequest...) -> (BackgroundWaits, FakeChannelClient) {
        let client = FakeChannelClient(requests: fakes, listener: requests, clock: clock)
        requests.follow(client)
        let waits = BackgroundWaits(client: client, requests: requests, time: time) {
            [outcomes] _, outcome in outcomes.append(outcome)
        }
        return (waits, client)
    }

    private func running(_ state: ChannelRequestState) -> FakeChannelRequest {
        let request = FakeChannelRequest(
            .fake(state: state) { $0.isRunning = true }, clock: clock)
        request.acceptReturns(.fake, after: .seconds(1000))
        request.awaitReadyReturns(.fake, after: .seconds(1000))
        return request
    }

    @Test func callsArePausedWhenTheTimeIsNearlyOverAndNotBefore() async throws {
        let request = running(.awaiting)
        let (waits, _) = waits(request)
        waits.leaveForeground()
        #expect(time.begun == 1)
        #expect(request.pauses == 0)
        time.expire?()
        try await waitUntil("the time is given back") { time.ended == [1] }
        #expect(request.pauses == 1)
        // iOS ends apps that end a task twice, or never.
        request.becomes { $0.isRunning = false }
        waits.enterForeground()
        #expect(time.ended == [1])
    }

    @Test func timeThatIsNotNeededIsGivenBackAtOnce() async throws {
        let request = running(.awaiting)
        let (waits, _) = waits(request)
        waits.leaveForeground()
        request.becomes(.arrived) {
            $0.state = .arrived
            $0.isRunning = false
        }
        try await waitUntil("the time is given back") { time.ended == [1] }
        #expect(request.pauses == 0)
    }

    @Test func whereNothingRunsNoTimeIsAskedFor() {
        let (waits, _) = waits(FakeChannelRequest(.fake(state: .awaiting)))
        waits.leaveForeground()
        #expect(time.begun == 0)
    }

    @Test func whereThereIsNoTimeCallsArePausedAtOnce() async {
        time.isThere = false
        let request = running(.awaiting)
        let (waits, _) = waits(request)
        waits.leaveForeground()
        #expect(time.begun == 1)
        await waits.pauses?.value
        #expect(request.pauses == 1)
        #expect(time.ended.isEmpty)
    }

    @Test func aChannelThatHasComeIsAwaitedInTheForegroundOnly() async {
        let arrived = running(.arrived)
        let awaited = running(.awaiting)
        let (waits, client) = waits(arrived, awaited)
        waits.enterForeground()
        await clock.sleepers(2)
        #expect(arrived.awaitsReady == 1)
        #expect(awaited.accepts.count == 1)
        #expect(client.peerChecks == 1)
        waits.leaveForeground()
        await waits.pauses?.value
        #expect(arrived.pauses == 1)
        #expect(awaited.pauses == 0)
        awaited.becomes(.arrived) {
            $0.state = .arrived
            $0.isRunning = false
        }
        arrived.becomes { $0.isRunning = false }
        clock.advance(by: .seconds(1000))
        await waits.waits?.value
        #expect(awaited.awaitsReady == 0, "it came in the background")
        waits.enterForeground()
        await clock.sleepers(2)
        #expect(arrived.awaitsReady == 2)
        #expect(awaited.awaitsReady == 1)
    }

    @Test func whatWasPausedMeanwhileGoesOnAndNothingElse() async {
        let request = running(.awaiting)
        let paused = running(.awaiting)
        paused.becomes { $0.isRunning = false }
        let (waits, client) = waits(request, paused)
        waits.leaveForeground()
        time.expire?()
        await waits.pauses?.value
        request.becomes { $0.isRunning = false }
        waits.enterForeground()
        await clock.sleepers(1)
        #expect(request.accepts.count == 1)
        #expect(paused.accepts.isEmpty, "by the user")
        #expect(client.peerChecks == 1)
    }

    @Test func aHostedChannelIsToldAtEachReturnThoughNothingRanBefore() async {
        let hosted = FakeChannelRequest(.fake(offer: .fakeHosted, state: .arrived), clock: clock)
        hosted.acceptReturns(.fakeHosted)
        let (waits, _) = waits(hosted)
        for count in 1...2 {
            waits.enterForeground()
            await waits.waits?.value
            #expect(outcomes.all.count == count)
            waits.leaveForeground()
        }
        hosted.becomes { $0.isDismissed = true }
        waits.enterForeground()
        await waits.waits?.value
        #expect(outcomes.all == [.fakeHosted, .fakeHosted])
    }

    @Test func whatStillRunsIsLeftToThoseWhoWaitForIt() async {
        let request = running(.awaiting)
        let (waits, client) = waits(request)
        waits.leaveForeground()
        waits.enterForeground()
        await waits.waits?.value
        #expect(time.ended == [1])
        #expect(request.accepts.isEmpty)
        #expect(request.pauses == 0)
        #expect(client.peerChecks == 1)
    }
}
