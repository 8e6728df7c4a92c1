import ChannelScreen
import LnurlChannel
import LnurlChannelTesting
import Testing

/// The one screen of the iOS sample, without its picture.
@MainActor
@Suite struct ChannelScreenTests {
    private let events = ChannelEvents()
    private let client: FakeChannelClient

    init() {
        client = FakeChannelClient(onEvent: events.send)
    }

    private func model(_ requests: FakeChannelRequest...) -> ChannelScreenModel {
        for request in requests { client.script(.success(request)) }
        return ChannelScreenModel(
            client: client, events: events,
            decode: { text in
                guard text.hasPrefix("LNURL") else {
                    throw LnurlChannelError.InvalidLnurl(reason: "not one")
                }
                return FakeLnurl()
            })
    }

    private func request(_ calls: FakeCall...) -> FakeChannelRequest {
        FakeChannelRequest(calls: calls, onEvent: events.send)
    }

    private func fetch(_ text: String, with model: ChannelScreenModel) async {
        model.see(text)
        await model.fetch()
    }

    @Test func fromTheScanToTheChannel() async {
        let model = model(request(.arrives()))
        var screens: [ChannelScreen] = []
        model.onChange = { screens.append($0) }
        await fetch("LNURL1", with: model)
        #expect(model.screen == .offered(.fake, problem: nil))
        await model.accept()
        #expect(model.screen == .arrived(.fake))
        let host = "service.example"
        #expect(Array(screens.prefix(2)) == [.scanned(host: host, problem: nil), .fetching(host: host)])
        #expect(screens.contains(.running(.fake, steps: [])))
        await model.reset()
        #expect(model.screen == .scanning(problem: nil))
    }

    @Test func nothingIsFetchedBeforeTheUserAgrees() async {
        let model = model()
        model.see("LNURL1")
        #expect(model.screen == .scanned(host: "service.example", problem: nil))
        #expect(client.fetchedHosts.isEmpty)
        await model.reset()
        await model.fetch()
        #expect(model.screen == .scanning(problem: nil))
        #expect(client.fetchedHosts.isEmpty)
    }

    @Test func theStepsAreShownInOrder() async throws {
        let request = request(.waits())
        let model = model(request)
        await fetch("LNURL1", with: model)
        let call = Task { await model.accept() }
        try await waitUntil("three steps") {
            model.screen
                == .running(
                    .fake,
                    steps: [
                        "Connecting to peer.example", "Asking for the channel",
                        "Waiting for the channel",
                    ])
        }
        request.arrive()
        await call.value
        #expect(model.screen == .arrived(.fake))
    }

    @Test func whatIsNoLnurlIsSaid() async {
        let model = model()
        model.see("hello")
        #expect(model.screen == .scanning(problem: "This is not an LNURL: not one."))
        #expect(client.fetchedHosts.isEmpty)
    }

    @Test func theCameraLeadsOnOnlyOnceUntilTheUserIsBack() async {
        let model = model()
        client.script(.failure(.Unreachable(reason: "off")), .failure(.Unreachable(reason: "off")))
        var screens = 0
        model.onChange = { _ in screens += 1 }
        for text in ["hello", "hello", "LNURL1", "LNURL1"] { model.see(text) }
        #expect(screens == 2)
        await model.fetch()
        guard case .scanned(_, problem: .some) = model.screen else {
            Issue.record("\(model.screen)")
            return
        }
        model.see("LNURL1")
        #expect(client.fetchedHosts.count == 1)
        await model.fetch()
        #expect(client.fetchedHosts.count == 2)
        await model.reset()
        model.see("LNURL1")
        #expect(model.screen == .scanned(host: "service.example", problem: nil))
    }

    @Test func aRefusalLeadsBackToTheOffer() async {
        let model = model(request(.fails(.Refused(reason: "sold out")), .arrives()))
        await fetch("LNURL1", with: model)
        await model.accept()
        #expect(model.screen == .offered(.fake, problem: "The service said no: sold out"))
        await model.accept()
        #expect(model.screen == .arrived(.fake))
    }

    @Test func aPauseCanBeResumed() async throws {
        let request = request(.waits(), .arrives())
        let model = model(request)
        await fetch("LNURL1", with: model)
        let call = Task { await model.accept() }
        try await waitUntil("the wait") { request.state() == .awaiting }
        model.pause()
        await call.value
        #expect(model.screen == .waiting(.fake, problem: nil))
        await model.resume()
        #expect(model.screen == .arrived(.fake))
    }

    @Test func theForegroundGoesOnWithWhatTheBackgroundStopped() async throws {
        let request = request(.waits(after: [.connecting]), .waits(), .waits(after: []))
        let model = model(request)
        await fetch("LNURL1", with: model)
        let call = Task { await model.accept() }
        var back = Task<Void, Never> {}
        for (reached, later) in [
            (ChannelRequestState.connecting, ChannelRequestState.awaiting), (.awaiting, .awaiting),
        ] {
            try await waitUntil("the wait") { request.isRunning() && request.state() == reached }
            model.enterBackground()
            // At once, while the call is still ending; or once it has.
            if reached == .awaiting { try await waitUntil("the pause") { !request.isRunning() } }
            back = Task { await model.enterForeground() }
            try await waitUntil("the wait") { request.isRunning() && request.state() == later }
        }
        await call.value
        request.arrive()
        await back.value
        #expect(model.screen == .arrived(.fake))
        #expect(request.acceptedVisibilities.count == 2)
        #expect(client.peerChecks == 2)
    }

    @Test func whatTheUserPausedStaysPaused() async throws {
        let request = request(.waits())
        let model = model(request)
        await fetch("LNURL1", with: model)
        let call = Task { await model.accept() }
        try await waitUntil("the wait") { request.state() == .awaiting }
        model.pause()
        await call.value
        model.enterBackground()
        await model.enterForeground()
        #expect(model.screen == .waiting(.fake, problem: nil))
        #expect(!request.isRunning())
    }

    @Test func declineAndCancelLeadToTheStart() async {
        let model = model(request(), request(.fails(.NoChannel(peerConnected: true, reason: "yet"))))
        await fetch("LNURL1", with: model)
        await model.decline()
        #expect(model.screen == .scanning(problem: nil))
        await fetch("LNURL2", with: model)
        await model.accept()
        guard case .waiting(.fake, problem: .some) = model.screen else {
            Issue.record("\(model.screen)")
            return
        }
        await model.cancel()
        #expect(model.screen == .scanning(problem: nil))
    }

    @Test func anUnfinishedRequestComesFirst() async {
        let unfinished = FakeChannelRequest(state: .awaiting)
        let client = FakeChannelClient(unfinished: [unfinished])
        let model = ChannelScreenModel(client: client, events: events)
        await model.start()
        #expect(model.screen == .waiting(.fake, problem: nil))
        await model.resume()
        #expect(model.screen == .arrived(.fake))
    }

    @Test func whatIsLeftIsShownOneAfterTheOther() async {
        let states: [ChannelRequestState] = [.arrived, .refused, .connecting]
        let client = FakeChannelClient(unfinished: states.map { FakeChannelRequest(state: $0) })
        let model = ChannelScreenModel(client: client, events: events)
        await model.start()
        #expect(model.screen == .arrived(.fake))
        await model.reset()
        #expect(model.screen == .scanning(problem: "service.example has said no"))
        await model.reset()
        #expect(model.screen == .offered(.fake, problem: nil))
        await model.decline()
        #expect(model.screen == .scanning(problem: nil))
        #expect(client.unfinishedRequests().isEmpty)
    }
}
