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

    @Test func fromTheScanToTheChannel() async {
        let model = model(request(.arrives()))
        var screens: [ChannelScreen] = []
        model.onChange = { screens.append($0) }
        await model.scan("LNURL1")
        #expect(model.screen == .offered(.fake, problem: nil))
        await model.accept()
        #expect(model.screen == .arrived(.fake))
        #expect(screens.first == .fetching(host: "service.example"))
        #expect(screens.contains(.running(.fake, steps: [])))
        model.reset()
        #expect(model.screen == .scanning(problem: nil))
    }

    @Test func theStepsAreShownInOrder() async throws {
        let request = request(.waits())
        let model = model(request)
        await model.scan("LNURL1")
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
        await model.scan("hello")
        #expect(model.screen == .scanning(problem: "This is not an LNURL: not one."))
        #expect(client.fetchedHosts.isEmpty)
    }

    @Test func aRefusalLeadsBackToTheOffer() async {
        let model = model(request(.fails(.Refused(reason: "sold out")), .arrives()))
        await model.scan("LNURL1")
        await model.accept()
        #expect(model.screen == .offered(.fake, problem: "The service said no: sold out"))
        await model.accept()
        #expect(model.screen == .arrived(.fake))
    }

    @Test func aPauseCanBeResumed() async throws {
        let request = request(.waits(), .arrives())
        let model = model(request)
        await model.scan("LNURL1")
        let call = Task { await model.accept() }
        try await waitUntil("the wait") { request.state() == .awaiting }
        model.pause()
        await call.value
        #expect(model.screen == .waiting(.fake, problem: nil))
        await model.resume()
        #expect(model.screen == .arrived(.fake))
    }

    @Test func declineAndCancelLeadToTheStart() async {
        let model = model(request(), request(.fails(.NoChannel(peerConnected: true, reason: "yet"))))
        await model.scan("LNURL1")
        model.decline()
        #expect(model.screen == .scanning(problem: nil))
        await model.scan("LNURL2")
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
        model.start()
        #expect(model.screen == .waiting(.fake, problem: nil))
        await model.resume()
        #expect(model.screen == .arrived(.fake))
    }
}
