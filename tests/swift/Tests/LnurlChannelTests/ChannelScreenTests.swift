import LnurlChannelTesting
import Testing

@testable import ChannelScreen
@testable import LnurlChannel

/// The one screen of the iOS sample, without its picture.
@MainActor
@Suite(.timeLimit(.minutes(1))) struct ChannelScreenTests {
    private let clock = VirtualClock()
    private let requests = ChannelRequests()
    private let client: FakeChannelClient
    private let time = Time()

    /// As iOS gives it.
    private final class Time: BackgroundTime {
        private(set) var expire: (@MainActor () -> Void)?

        func beginBackgroundTime(onExpiration: @escaping @MainActor () -> Void) -> Int? {
            expire = onExpiration
            return 1
        }

        func endBackgroundTime(_ id: Int) {}
    }

    init() {
        client = FakeChannelClient(listener: requests)
        requests.follow(client)
    }

    private func model(_ client: FakeChannelClient? = nil) -> ChannelScreenModel {
        ChannelScreenModel(
            client: client ?? self.client, requests: requests, time: time,
            decode: { text in
                guard text.hasPrefix("LNURL") else {
                    throw LnurlChannelError.InvalidLnurl(problem: .notLnurl, reason: "not one")
                }
                return FakeLnurl()
            })
    }

    /// A screen with the offer of `request`.
    private func offered(_ request: FakeChannelRequest) async -> ChannelScreenModel {
        client.fetchReturns(request)
        let model = model()
        model.see("LNURL1")
        await model.fetch()
        return model
    }

    private func state(_ model: ChannelScreenModel) -> ChannelRequestState? {
        if case .request(let request, _) = model.screen { request.state } else { nil }
    }

    private func problem(_ model: ChannelScreenModel) -> String? {
        switch model.screen {
        case .scanning(let problem), .scanned(_, let problem), .request(_, let problem): problem
        case .fetching: nil
        }
    }

    @Test func fromTheScanToTheChannel() async {
        let request = FakeChannelRequest()
        request.acceptReturns(.fake)
        client.fetchReturns(request)
        let model = model()
        var screens: [ChannelScreen] = []
        var outcomes: [ChannelOutcome] = []
        model.onChange = { screens.append($0) }
        model.onOutcome = { outcomes.append($0) }
        model.see("LNURL1")
        await model.fetch()
        #expect(state(model) == .offered)
        request.becomes(.arrived) {
            $0.state = .arrived
            $0.channel = .fake
        }
        await model.accept()
        #expect(state(model) == .arrived)
        #expect(outcomes == [.fake])
        let authority = "service.example"
        #expect(
            Array(screens.prefix(2))
                == [.scanned(authority: authority, problem: nil), .fetching(authority: authority)])
        request.becomes { $0.isDismissed = true }
        await model.dismiss()
        #expect(request.dismissals == 1)
        #expect(model.screen == .scanning(problem: nil))
    }

    @Test func nothingIsFetchedBeforeTheUserAgrees() async {
        let model = model()
        model.see("LNURL1")
        #expect(model.screen == .scanned(authority: "service.example", problem: nil))
        #expect(client.fetched.isEmpty)
        model.reset()
        await model.fetch()
        #expect(model.screen == .scanning(problem: nil))
        #expect(client.fetched.isEmpty)
    }

    @Test func theScreenFollowsTheRequest() async throws {
        let request = FakeChannelRequest(clock: clock)
        request.acceptReturns(.fake, after: .seconds(60))
        let model = await offered(request)
        let following = Task { await model.follow() }
        let call = Task { await model.accept() }
        await clock.sleepers(1)
        for (step, next) in [
            (ChannelStep.connecting, ChannelRequestState.connecting), (.requesting, .requesting),
            (.agreed, .awaiting), (.proposed, .opening), (.arrived, .arrived),
        ] {
            request.becomes(step) {
                $0.state = next
                $0.isRunning = next != .arrived
            }
            try await waitUntil("\(next)") { state(model) == next }
        }
        clock.advance(by: .seconds(60))
        await call.value
        #expect(state(model) == .arrived)
        following.cancel()
        await following.value
    }

    @Test func whatIsNoLnurlIsSaid() async {
        let model = model()
        model.see("hello")
        #expect(model.screen == .scanning(problem: "This code offers no channel."))
        #expect(client.fetched.isEmpty)
    }

    @Test func theCameraLeadsOnOnlyOnceUntilTheUserIsBack() async {
        let model = model()
        client.fetchThrows(.Unreachable(problem: .noConnection, reason: "off"))
        var screens = 0
        model.onChange = { _ in screens += 1 }
        for text in ["hello", "hello", "LNURL1", "LNURL1"] { model.see(text) }
        #expect(screens == 2)
        await model.fetch()
        #expect(problem(model) == "The service cannot be reached. Try again.")
        model.see("LNURL1")
        #expect(client.fetched.count == 1)
        await model.fetch()
        #expect(client.fetched.count == 2)
        model.reset()
        model.see("LNURL1")
        #expect(model.screen == .scanned(authority: "service.example", problem: nil))
    }

    @Test func aFailedCallLeavesItsReasonOnTheScreen() async {
        let request = FakeChannelRequest()
        request.acceptThrows(.NodeFailed(problem: .notConnected, reason: "asleep"))
        request.acceptThrows(.NoChannel(serviceAgreed: true, concerns: [], reason: "wait on"))
        request.askAgainThrows(.Refused(words: "sold out"))
        let model = await offered(request)
        await model.accept()
        #expect(problem(model) == "The wallet's node could not connect. Try again.")
        await model.accept()
        #expect(problem(model) == "The service agreed, but no channel has come yet.")
        await model.askAgain()
        #expect(problem(model) == "The service said no: sold out")
    }

    @Test func aPausedCallWaitsOn() async throws {
        let request = FakeChannelRequest(clock: clock)
        request.acceptReturns(.fake, after: .seconds(60))
        let model = await offered(request)
        let call = Task { await model.accept() }
        await clock.sleepers(1)
        model.pause()
        await call.value
        #expect(problem(model) == nil)
        let again = Task { await model.accept() }
        await clock.sleepers(1)
        clock.advance(by: .seconds(60))
        await again.value
        #expect(request.accepts.count == 2)
    }

    @Test func theForegroundGoesOnWithWhatTheBackgroundStopped() async throws {
        let request = FakeChannelRequest(clock: clock)
        request.acceptThrows(.Cancelled, after: .seconds(30))
        request.acceptReturns(.fake, after: .seconds(60))
        let model = await offered(request)
        var outcomes: [ChannelOutcome] = []
        model.onOutcome = { outcomes.append($0) }
        let call = Task { await model.accept() }
        await clock.sleepers(1)
        request.becomes {
            $0.state = .awaiting
            $0.isRunning = true
        }
        model.enterBackground()
        #expect(request.pauses == 0)
        time.expire?()
        #expect(request.pauses == 1)
        request.becomes { $0.isRunning = false }
        clock.advance(by: .seconds(30))
        await call.value
        #expect(problem(model) == nil)
        model.enterForeground()
        await clock.sleepers(1)
        clock.advance(by: .seconds(60))
        try await waitUntil("the channel is here") { outcomes == [.fake] }
        #expect(request.accepts.count == 2)
        #expect(client.peerChecks == 1)
    }

    @Test func whatTheUserPausedStaysPaused() async throws {
        let request = FakeChannelRequest(clock: clock)
        request.acceptReturns(.fake, after: .seconds(60))
        let model = await offered(request)
        model.enterForeground()
        let call = Task { await model.accept() }
        await clock.sleepers(1)
        model.pause()
        await call.value
        request.becomes { $0.state = .awaiting }
        model.enterBackground()
        model.enterForeground()
        await model.waits?.waits?.value
        #expect(request.accepts.count == 1)
    }

    @Test func aCancelledRequestLeadsToTheStart() async {
        let request = FakeChannelRequest()
        let model = await offered(request)
        await model.cancel()
        #expect((request.cancels, request.dismissals) == (1, 1))
        #expect(model.screen == .scanning(problem: nil))
    }

    @Test func aCancelThatFailsIsSaid() async {
        let request = FakeChannelRequest()
        request.cancelThrows(.StorageFailed(reason: "full"))
        let model = await offered(request)
        await model.cancel()
        #expect(request.dismissals == 0)
        #expect(problem(model) == "The phone cannot store the request.")
    }

    @Test func whatIsLeftIsShownUntilItIsDismissed() async {
        let seen = FakeChannelRequest(.fake(state: .ready) { $0.isDismissed = true })
        let arrived = FakeChannelRequest(.fake(state: .arrived) { $0.channel = .fake })
        let refused = FakeChannelRequest(.fake(state: .refused) { $0.refusal = "sold out" })
        arrived.acceptReturns(.fake)
        let client = FakeChannelClient(requests: [seen, arrived, refused], listener: requests)
        requests.follow(client)
        let model = model(client)
        var outcomes: [ChannelOutcome] = []
        model.onOutcome = { outcomes.append($0) }
        let following = Task { await model.follow() }
        try? await waitUntil("the arrival") { outcomes.count == 1 && state(model) == .arrived }
        #expect(outcomes == [.fake])
        arrived.becomes { $0.isDismissed = true }
        await model.dismiss()
        #expect(state(model) == .refused)
        refused.becomes { $0.isDismissed = true }
        await model.dismiss()
        #expect(model.screen == .scanning(problem: nil))
        following.cancel()
        await following.value
    }

    @Test func everyStateAndErrorHasASentence() {
        let states: [ChannelRequestState] = [
            .offered, .connecting, .requesting, .awaiting, .outcomeUnknown, .opening, .arrived,
            .ready, .refused, .cancelled,
        ]
        let sentences = states.map { ChannelRequestSnapshot.fake(state: $0).sentence }
        #expect(Set(sentences).count == states.count)
        let funded = ChannelRequestSnapshot.fake(state: .arrived) { $0.channel = .fake }
        #expect(funded.sentence == "A channel of 100000 sat is here.")
        let hosted = ChannelRequestSnapshot.fake(state: .arrived) { $0.hostedTerms = .fake }
        #expect(hosted.sentence == "A channel of 100000 sat is here.")
        let date = LnurlChannelError.Unreachable(problem: .certificateDate, reason: "expired")
        #expect(date.sentence.contains("clock"))
        #expect(ChannelOffer(kind: .hosted, peer: .fake).offeredBy == "Nobody but the code")
    }
}
