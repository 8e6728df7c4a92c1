import Foundation
import LnurlChannelTesting
import Testing

@testable import ChannelScreen
@testable import LnurlChannel

/// The screen of the iOS sample, without its views, in virtual time: what each call leads to, the test says.
@MainActor
@Suite(.timeLimit(.minutes(1))) struct ChannelScreenTests {
    private let clock = VirtualClock()
    private let client: LateClient
    private let time = Time()
    private let decoded = Watched<String>()
    private let outcomes = Outcomes()
    private let model: ChannelScreenModel

    init() {
        client = LateClient(clock)
        model = ChannelScreenModel(
            wallet: WalletClient { [client] in try client.make(listener: $0) }, time: time,
            onOutcome: { [outcomes] in try outcomes.take($1) },
            decode: { [decoded] text in
                decoded.append(text)
                guard text.hasPrefix("LNURL") else {
                    throw LnurlChannelError.InvalidLnurl(problem: .notLnurl, reason: "not one")
                }
                return FakeLnurl()
            })
    }

    /// The client, as the model's wallet makes it.
    private final class LateClient: @unchecked Sendable {
        var requests: [FakeChannelRequest] = []
        var failures: [LnurlChannelError] = []
        private(set) var fake: FakeChannelClient!
        private let clock: VirtualClock

        init(_ clock: VirtualClock) {
            self.clock = clock
        }

        func make(listener: any ChannelListener) throws -> any ChannelClientProtocol {
            if let failure = failures.popLast() { throw failure }
            fake = FakeChannelClient(requests: requests, listener: listener, clock: clock)
            return fake
        }
    }

    /// As iOS gives it.
    private final class Time: BackgroundTime {
        private(set) var expire: (@MainActor () -> Void)?

        func beginBackgroundTime(onExpiration: @escaping @MainActor () -> Void) -> Int? {
            expire = onExpiration
            return 1
        }

        func endBackgroundTime(_ id: Int) {}
    }

    /// Runs the model beside `body`, as the view does.
    private func running(_ body: () async throws -> Void) async throws {
        let running = Task { await model.run() }
        try await waitUntil("the client is made") { client.fake != nil && model.waits != nil }
        try await body()
        running.cancel()
        await running.value
    }

    private func offer(_ request: FakeChannelRequest) async {
        client.fake.fetchReturns(request)
        model.open("LNURL1")
        await model.fetch()
    }

    private var page: RequestPage? {
        if case .request(let page) = model.state.page { page } else { nil }
    }

    private let consent = ScreenState.Page.consent(authority: "service.example", isFetching: false)

    // MARK: scan and consent

    @Test func nothingIsFetchedBeforeTheUserAgrees() async throws {
        try await running {
            model.see("LNURL1")
            #expect(model.state.page == consent)
            model.back()
            await model.fetch()
            #expect(model.state.page == .scan)
            #expect(client.fake.fetched.isEmpty)
        }
    }

    @Test func whatIsNoLnurlIsSaid() async throws {
        try await running {
            model.see("hello")
            #expect(model.state.page == .scan)
            #expect(model.state.problem == "This is no LNURL.")
            model.see("LNURL1")
            #expect(model.state.problem == nil)
        }
    }

    @Test func theCameraLeadsOnOnlyOnceUntilTheUserIsBack() async throws {
        try await running {
            client.fake.fetchThrows(.Unreachable(problem: .noConnection, reason: "off"))
            var changes = 0
            model.onChange = { _ in changes += 1 }
            for text in ["hello", "hello", "hello"] { model.see(text) }
            #expect(changes == 1 && decoded.all == ["hello"])
            model.see("LNURL1")
            await model.fetch()
            #expect(model.state.problem == "The service could not be reached. Is this device online?")
            model.see("LNURL2")
            #expect(model.state.page == consent)
            #expect(client.fake.fetched.count == 1)
            model.back()
            model.see("LNURL1")
            await model.fetch()
            #expect(client.fake.fetched.count == 2)
        }
    }

    @Test func aFetchThatTheUserLeftShowsNothing() async throws {
        try await running {
            client.fake.fetchReturns(FakeChannelRequest(), after: .seconds(30))
            model.open("LNURL1")
            var hasEnded = false
            let fetching = Task {
                await model.fetch()
                hasEnded = true
            }
            await clock.sleepers(1)
            #expect(model.state.page == .consent(authority: "service.example", isFetching: true))
            model.open("LNURL2")
            // At once, and not when the service has answered.
            try await waitUntil("the end") { hasEnded }
            await fetching.value
            #expect(model.state.page == consent && model.state.problem == nil)
            #expect(model.saved == SavedScreen(scanned: "LNURL2"))
        }
    }

    // MARK: the client

    @Test func aClientThatCannotBeMadeIsMadeLater() async throws {
        client.failures = [.StorageFailed(reason: "full")]
        await model.run()
        #expect(model.state.failedToStart)
        #expect(model.state.problem == "The request could not be stored. Is there room on this device?")
        try await running {
            #expect(!model.state.failedToStart && model.state.problem == nil)
        }
    }

    @Test func theClientIsMadeOnceHoweverManyNeedIt() async throws {
        let made = Watched<Void>()
        let wallet = WalletClient { listener in
            made.append(())
            return FakeChannelClient(listener: listener)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { _ = try await wallet.client() } }
            try await group.waitForAll()
        }
        #expect(made.all.count == 1)
    }

    // MARK: one request

    @Test func fromTheOfferToAChannelThatCanBeUsed() async throws {
        try await running {
            let request = FakeChannelRequest(clock: clock)
            request.acceptReturns(.fake, after: .seconds(60))
            request.awaitReadyReturns(.fake, after: .seconds(3600))
            await offer(request)
            #expect(page?.actions == [.accept, .decline])
            #expect(page?.hasReceipt == false)
            let call = Task { await model.act(.accept) }
            await clock.sleepers(1)
            for (step, state, status) in [
                (ChannelStep.connecting, ChannelRequestState.connecting, "Connecting to the peer"),
                (.requesting, .requesting, "Asking for the channel"),
                (.agreed, .awaiting, "The service agreed"),
                (.changed, .awaiting, "The service agreed"),
                (.proposed, .opening, "The peer is opening the channel"),
            ] {
                request.becomes(step) {
                    $0.state = state
                    $0.isRunning = true
                    $0.waitsUntilSeconds = 1_800_000_180
                }
                try await waitUntil(status) { page?.status == status }
                #expect(page?.actions == [.pause, .cancel])
                #expect(page?.waitsUntil?.timeIntervalSince1970 == 1_800_000_180)
            }
            request.becomes(.arrived) {
                $0.state = .arrived
                $0.channel = .fake
            }
            clock.advance(by: .seconds(60))
            try await waitUntil("the outcome") { outcomes.all == [.fake] }
            await clock.sleepers(1)
            request.becomes(.ready) {
                $0.state = .ready
                $0.isRunning = false
            }
            clock.advance(by: .seconds(3600))
            await call.value
            #expect(page?.status == "The channel can be used")
            #expect(page?.result.first == Row(label: .resultCapacity, value: model.words.sat(100_000)))
            #expect(page?.actions == [.dismiss])
            #expect((request.accepts, request.awaitsReady) == ([.unannounced], 1))
            request.becomes { $0.isDismissed = true }
            await model.act(.dismiss)
            #expect(request.dismissals == 1)
            #expect(model.state.page == .scan)
            #expect(model.state.history.map(\.status) == ["The channel can be used"])
        }
    }

    /// "Connecting" would stay on the screen for hours otherwise: no step says that it is over.
    @Test func aConnectionThatIsThereIsNoProgress() async throws {
        let request = FakeChannelRequest(.fake(state: .awaiting) { $0.isRunning = true })
        client.requests = [request]
        try await running {
            request.becomes(.reconnecting) { $0.isPeerConnected = false }
            try await waitUntil("it connects") { page?.status == "Connecting to the peer again" }
            request.becomes { $0.isPeerConnected = true }
            try await waitUntil("it waits") { page?.status == "Waiting for the channel" }
        }
    }

    @Test func theNodeIsAskedForEachVisibility() async throws {
        try await running {
            let request = FakeChannelRequest()
            request.preflightReturns([.anchorReserve(missingSat: 6_000)])
            request.preflightReturns([.visibilityRefused(visibility: .announced)])
            request.acceptReturns(.fakeHosted)
            await offer(request)
            #expect(page?.choosesVisibility == true)
            #expect(page?.concerns == ["Your node needs 6000 sat more on chain before it takes this channel."])
            await model.choose(.announced)
            #expect(page?.concerns == ["Your node takes no public channels."])
            await model.act(.accept)
            #expect(request.preflights == [.unannounced, .announced])
            #expect(request.accepts == [.announced])
        }
    }

    @Test func anAnswerOfTheNodeThatIsTooLateIsNotShown() async throws {
        try await running {
            let request = FakeChannelRequest(clock: clock)
            request.preflightReturns([.visibilityRefused(visibility: .unannounced)], after: .seconds(20))
            request.preflightReturns([.visibilityRefused(visibility: .announced)], after: .seconds(10))
            client.fake.fetchReturns(request)
            model.open("LNURL1")
            let fetching = Task { await model.fetch() }
            await clock.sleepers(1)
            #expect(model.state.isAskingNode)
            let choosing = Task { await model.choose(.announced) }
            await clock.sleepers(2)
            clock.advance(by: .seconds(10))
            await choosing.value
            #expect(!model.state.isAskingNode)
            clock.advance(by: .seconds(10))
            await fetching.value
            #expect(page?.concerns == ["Your node takes no public channels."])
        }
    }

    @Test func aNodeThatDoesNotAnswerIsSaidAndAcceptIsPossible() async throws {
        try await running {
            let request = FakeChannelRequest()
            request.preflightThrows(.NodeFailed(problem: .timedOut, reason: "asleep"))
            await offer(request)
            #expect(model.state.problem == "Your node did not answer in time.")
            #expect(!model.state.isAskingNode)
            #expect(page?.actions == [.accept, .decline])
        }
    }

    @Test func aHostedOfferHasNoVisibilityAndItsChannelIsHandedOver() async throws {
        try await running {
            let request = FakeChannelRequest(.fake(offer: .fakeHosted))
            request.acceptReturns(.fakeHosted)
            await offer(request)
            #expect(page?.choosesVisibility == false)
            request.becomes(.arrived) {
                $0.state = .arrived
                $0.hostedTerms = .fake
            }
            await model.act(.accept)
            #expect(outcomes.all == [.fakeHosted])
            #expect(page?.status == "The host offers the channel")
            #expect(request.awaitsReady == 0)
            request.becomes { $0.hostedTerms = nil }
            try await waitUntil("what exists") { page?.status.contains("already holds") == true }
        }
    }

    @Test func whatFailsLeavesItsReasonOnTheScreen() async throws {
        try await running {
            let request = FakeChannelRequest()
            request.acceptThrows(.NodeFailed(problem: .notConnected, reason: "asleep"))
            request.acceptThrows(.NoChannel(serviceAgreed: true, concerns: [], reason: "wait on"))
            request.askAgainThrows(.Refused(words: "sold out"))
            await offer(request)
            await model.act(.accept)
            #expect(model.state.problem == "Your node could not connect to the peer.")
            request.becomes {
                $0.state = .awaiting
                $0.concerns = [.peerNotConnected, .proposalFailed(reason: "a"), .proposalFailed(reason: "b")]
                $0.visibility = .announced
            }
            await model.act(.waitOn)
            #expect(model.state.problem?.hasSuffix("It may still come.") == true)
            #expect(
                page?.concerns == [
                    "Your node is not connected to the peer.",
                    "The peer tried to open the channel, and it failed.",
                ])
            #expect(page?.hasReceipt == true)
            #expect(page?.actions == [.waitOn, .askAgain, .cancel])
            request.becomes {
                $0.state = .refused
                $0.refusal = "sold out"
            }
            await model.act(.askAgain)
            #expect(request.asksAgain == [.announced], "as it was asked for")
            #expect(model.state.problem == nil)
            #expect(page?.status == "The service said no: sold out")
        }
    }

    @Test func aPausedCallWaitsOn() async throws {
        try await running {
            let request = FakeChannelRequest(clock: clock)
            request.acceptThrows(.Cancelled, after: .seconds(1))
            request.acceptReturns(.fakeHosted, after: .seconds(60))
            await offer(request)
            let call = Task { await model.act(.accept) }
            await clock.sleepers(1)
            // The same button again starts no second call.
            await model.act(.accept)
            await model.act(.pause)
            #expect(request.pauses == 1)
            clock.advance(by: .seconds(1))
            await call.value
            #expect(model.state.problem == nil)
            let again = Task { await model.act(.waitOn) }
            await clock.sleepers(1)
            clock.advance(by: .seconds(60))
            await again.value
            #expect(request.accepts.count == 2)
        }
    }

    @Test func aDeclinedOfferLeadsToTheStart() async throws {
        try await running {
            let request = FakeChannelRequest()
            await offer(request)
            await model.act(.decline)
            #expect((request.cancels, request.dismissals) == (1, 1))
            #expect(model.state.page == .scan)
            #expect(model.saved == SavedScreen())
        }
    }

    @Test func aCancelThatFailsIsSaid() async throws {
        try await running {
            let request = FakeChannelRequest()
            request.cancelThrows(.StorageFailed(reason: "full"))
            await offer(request)
            await model.act(.cancel)
            #expect(request.dismissals == 0)
            #expect(model.state.problem?.contains("could not be stored") == true)
        }
    }

    // MARK: the app comes and goes

    @Test func theForegroundGoesOnWithWhatTheBackgroundStopped() async throws {
        try await running {
            let request = FakeChannelRequest(clock: clock)
            request.acceptThrows(.Cancelled, after: .seconds(30))
            request.acceptReturns(.fakeHosted, after: .seconds(60))
            await offer(request)
            let call = Task { await model.act(.accept) }
            await clock.sleepers(1)
            request.becomes {
                $0.state = .awaiting
                $0.isRunning = true
            }
            model.enterBackground()
            try await waitUntil("time") { time.expire != nil }
            #expect(request.pauses == 0)
            time.expire?()
            try await waitUntil("a pause") { request.pauses == 1 }
            request.becomes { $0.isRunning = false }
            clock.advance(by: .seconds(30))
            await call.value
            #expect(model.state.problem == nil)
            model.enterForeground()
            await clock.sleepers(1)
            clock.advance(by: .seconds(60))
            try await waitUntil("the channel is here") { outcomes.all == [.fakeHosted] }
            #expect(request.accepts.count == 2)
        }
    }

    @Test func theSystemIsToldWhenToLookAgain() async throws {
        let now = UInt64(Date().timeIntervalSince1970)
        client.requests = [FakeChannelRequest(.fake(state: .awaiting) { $0.createdAtSeconds = now })]
        var seconds: [TimeInterval?] = []
        model.onBackground = { seconds.append($0) }
        model.enterBackground()
        try await running { model.enterBackground() }
        #expect(seconds == [nil, 900], "and for no channel, never")
    }

    @Test func anOutcomeIsHandedOverOnceHoweverManyWait() async throws {
        let request = FakeChannelRequest(.fake(state: .awaiting), clock: clock)
        request.acceptReturns(.fakeHosted, after: .seconds(60))
        client.requests = [request]
        model.enterForeground()
        try await running {
            await clock.sleepers(1)
            let call = Task { await model.act(.waitOn) }
            await clock.sleepers(2)
            clock.advance(by: .seconds(60))
            await call.value
            await model.waits?.waits?.value
            #expect(request.accepts.count == 2)
            #expect(outcomes.all == [.fakeHosted])
        }
    }

    /// As where it is closed before it can be used: the request then awaits another.
    @Test func theNextChannelOfARequestIsHandedOverToo() async throws {
        let request = FakeChannelRequest(.fake(state: .awaiting))
        var another = IncomingChannel.fake
        another.channelId = String(repeating: "02", count: 32)
        for channel in [IncomingChannel.fake, .fake, another] { request.acceptReturns(.funded(channel: channel)) }
        client.requests = [request]
        try await running {
            for _ in 0..<3 { await model.act(.waitOn) }
            #expect(request.accepts.count == 3)
            #expect(outcomes.all == [.fake, .funded(channel: another)])
        }
    }

    @Test func whatTheWalletCouldNotTakeIsSaidAndHandedOverAgain() async throws {
        let request = FakeChannelRequest(.fake(offer: .fakeHosted, state: .arrived))
        request.acceptReturns(.fakeHosted)
        client.requests = [request]
        outcomes.failure = LnurlChannelError.StorageFailed(reason: "full")
        model.enterForeground()
        try await running {
            await model.waits?.waits?.value
            #expect(model.state.problem?.contains("could not be stored") == true)
            #expect(outcomes.all.isEmpty)
            for _ in 0..<2 {
                model.enterBackground()
                model.enterForeground()
                await model.waits?.waits?.value
                #expect(outcomes.all == [.fakeHosted])
            }
            #expect(model.state.problem == nil)
            #expect(request.accepts.count == 3)
        }
    }

    /// iOS starts the app in the background: the screen may never be there.
    @Test func whatTheBackgroundIsToldIsHandedOverOnce() async throws {
        let request = FakeChannelRequest(.fake(offer: .fakeHosted, state: .arrived))
        request.acceptReturns(.fakeHosted)
        client.requests = [request]
        await model.handOver(request, .fakeHosted)
        #expect(outcomes.all == [.fakeHosted])
        model.enterForeground()
        try await running {
            await model.waits?.waits?.value
            #expect(request.accepts.count == 1)
            #expect(outcomes.all == [.fakeHosted])
        }
    }

    @Test func whatIsLeftIsShownUntilItIsDismissed() async throws {
        let seen = FakeChannelRequest(.fake(state: .ready) { $0.isDismissed = true })
        let arrived = FakeChannelRequest(.fake(offer: .fakeHosted, state: .arrived) { $0.hostedTerms = .fake })
        let refused = FakeChannelRequest(.fake(state: .refused) { $0.refusal = "sold out" })
        arrived.acceptReturns(.fakeHosted)
        client.requests = [seen, arrived, refused]
        model.enterForeground()
        try await running {
            try await waitUntil("the arrival") { outcomes.all == [.fakeHosted] }
            #expect(page?.requestId == arrived.requestId())
            #expect(model.state.history.count == 3)
            arrived.becomes { $0.isDismissed = true }
            await model.act(.dismiss)
            #expect(page?.status == "The service said no: sold out")
            refused.becomes { $0.isDismissed = true }
            await model.act(.dismiss)
            #expect(model.state.page == .scan)
            // The history still leads to it, and to its receipt.
            arrived.receiptReturns("{\"receipt\": 1}")
            model.open(requestId: arrived.requestId())
            #expect(page?.actions == [])
            #expect(model.receipt() == "{\"receipt\": 1}")
        }
    }

    @Test func aTextThatWaitedForConsentDoesSoAgain() async throws {
        model.restore(SavedScreen(scanned: "LNURL1"))
        #expect(model.state.page == consent)
        client.requests = [FakeChannelRequest(.fake(state: .awaiting))]
        try await running {
            #expect(model.state.page == consent)
            #expect(client.fake.fetched.isEmpty)
        }
    }

    @Test func aLinkThatStartsTheAppComesBeforeWhatWasOnTheScreen() async throws {
        let waiting = FakeChannelRequest(.fake(state: .awaiting))
        client.requests = [waiting]
        model.open("LNURL2")
        model.restore(SavedScreen(scanned: "LNURL1", requestId: waiting.requestId()))
        try await running {
            #expect(model.state.page == consent)
            #expect(model.saved == SavedScreen(scanned: "LNURL2"))
        }
    }

    @Test func theRequestThatWasOnTheScreenIsThereAgain() async throws {
        let newer = FakeChannelRequest(.fake(state: .awaiting))
        let older = FakeChannelRequest(.fake(state: .refused))
        client.requests = [newer, older]
        model.restore(SavedScreen(requestId: older.requestId()))
        try await running {
            #expect(page?.requestId == older.requestId())
        }
    }

    @Test func anOfferThatWasNotAcceptedIsFetchedAnewOnlyIfTheUserAgrees() async throws {
        model.restore(SavedScreen(scanned: "LNURL1", requestId: "gone with the last run"))
        try await running {
            #expect(model.state.page == consent)
            let request = FakeChannelRequest()
            client.fake.fetchReturns(request)
            await model.fetch()
            #expect(model.saved == SavedScreen(scanned: "LNURL1", requestId: request.requestId()))
            request.acceptReturns(.fakeHosted)
            request.becomes { $0.state = .awaiting }
            await model.act(.accept)
            #expect(model.saved == SavedScreen(requestId: request.requestId()), "the text is not kept longer")
        }
    }

    @Test func aLinkFromAnotherAppIsOpenedOverARequest() async throws {
        let waiting = FakeChannelRequest(.fake(state: .awaiting) { $0.isRunning = true })
        client.requests = [waiting]
        try await running {
            #expect(page != nil)
            model.open("LNURL1")
            #expect(model.state.page == consent)
            #expect(waiting.pauses == 0, "what is waited for goes on")
            model.open("nonsense")
            #expect(model.state.page == consent)
            #expect(model.state.problem == "This is no LNURL.")
        }
    }

    // MARK: for all users

    @Test func voiceOverHearsWhatChanges() async throws {
        let words = model.words
        try await running {
            var said: [String] = []
            model.onChange = { state in
                let text = state.announcement(words)
                if text != said.last { said.append(text) }
            }
            let request = FakeChannelRequest()
            client.fake.fetchReturns(request)
            model.see("hello")
            model.see("LNURL1")
            await model.fetch()
            request.acceptThrows(.Cancelled)
            request.becomes(.agreed) {
                $0.state = .awaiting
                $0.isRunning = true
            }
            await model.act(.accept)
            // A later deadline is no news.
            request.becomes { $0.waitsUntilSeconds = 1_800_000_999 }
            try await waitUntil("the deadline") { page?.waitsUntil != nil }
            #expect(
                said == [
                    "This is no LNURL.", "New channel", "Ask service.example what it offers?",
                    "Asking service.example", "Offered", "The service agreed",
                ])
        }
    }
}
