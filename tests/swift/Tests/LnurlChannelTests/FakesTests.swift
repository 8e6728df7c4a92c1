import Foundation
import LnurlChannel
import LnurlChannelTesting
import Testing

/// The fakes keep the README's table of states.
@Suite struct FakesTests {
    @Test func allGoesWellUnlessTold() async throws {
        let events = ChannelEvents()
        let stream = events.all()
        let client = FakeChannelClient(onEvent: events.send)
        let request = try await client.fetch(lnurl: FakeLnurl(host: "shop.example"))
        #expect(client.fetchedHosts == ["shop.example"])
        #expect(request.offer() == .fake)
        #expect(request.state() == .offered)
        #expect(client.unfinishedRequests().isEmpty)
        #expect(try await request.accept(visibility: .announced) == .fake)
        #expect(request.state() == .arrived)
        #expect(client.unfinishedRequests().isEmpty)
        #expect(try await request.resume() == .fake)
        events.finish()
        let seen = await stream.reduce(into: []) { $0.append($1.event) }
        #expect(
            seen == [
                .connecting(peer: .fake), .requesting(peer: .fake), .awaitingChannel(peer: .fake),
                .arrived(outcome: .fake),
            ])
    }

    @Test func scriptedErrorsOfFetch() async throws {
        let client = FakeChannelClient(offers: [.failure(.Unreachable(reason: "no network"))])
        let error = try await channelError { _ = try await client.fetch(lnurl: FakeLnurl()) }
        #expect(error == .Unreachable(reason: "no network"))
        _ = try await client.fetch(lnurl: FakeLnurl())
    }

    @Test(arguments: [
        (LnurlChannelError.NodeFailed(reason: ""), ChannelRequestState.offered, false),
        (.Unreachable(reason: ""), .offered, false),
        (.StorageFailed(reason: ""), .offered, false),
        (.Refused(reason: ""), .refused, false),
        (.InvalidResponse(reason: ""), .outcomeUnknown, false),
        (.OutcomeUnknown(reason: ""), .outcomeUnknown, true),
        (.NoChannel(peerConnected: true, reason: ""), .awaiting, true),
    ])
    func scriptedErrorsOfAccept(
        _ error: LnurlChannelError, _ state: ChannelRequestState, _ isUnfinished: Bool
    ) async throws {
        let request = FakeChannelRequest(calls: [.fails(error)])
        #expect(try await channelError { _ = try await request.accept() } == error)
        #expect(request.state() == state)
        if isUnfinished { #expect(request.isUnfinished) }
        #expect(!request.isRunning())
        // It may be accepted again.
        #expect(try await request.accept() == .fake)
    }

    /// The table of `accept`, `resume`, `decline` and `cancel`, where no call runs.
    @Test(arguments: [
        (ChannelRequestState.offered, true, false, true, Optional(ChannelRequestState.declined)),
        (.connecting, true, false, true, .cancelled),
        (.awaiting, true, true, true, .cancelled),
        (.outcomeUnknown, true, true, true, .cancelled),
        (.refused, true, false, true, .cancelled),
        (.arrived, false, true, false, nil),
        (.declined, false, false, false, nil),
        (.cancelled, false, false, false, .cancelled),
    ])
    func theTableOfStates(
        _ state: ChannelRequestState, _ accepts: Bool, _ resumes: Bool, _ declines: Bool,
        _ cancelled: ChannelRequestState?
    ) async throws {
        func ends(_ works: Bool, _ call: (FakeChannelRequest) async throws -> Void) async {
            do {
                try await call(FakeChannelRequest(state: state))
                #expect(works)
            } catch {
                #expect(!works)
                #expect(error as? LnurlChannelError == .WrongState(state: state))
            }
        }
        await ends(accepts) { _ = try await $0.accept() }
        await ends(resumes) { _ = try await $0.resume() }
        await ends(declines) {
            try $0.decline()
            #expect($0.state() == .declined)
        }
        await ends(cancelled != nil) {
            try await $0.cancel()
            #expect($0.state() == cancelled)
        }
        #expect(!FakeChannelRequest(state: state).pause())
    }

    @Test func whileACallRuns() async throws {
        let request = FakeChannelRequest(calls: [.waits()])
        let call = Task { try await request.accept() }
        try await waitUntil("the wait") { request.state() == .awaiting }
        #expect(request.isRunning())
        let again = try await channelError { _ = try await request.accept() }
        #expect(again == .WrongState(state: .awaiting))
        let declined = try await channelError { try request.decline() }
        #expect(declined == .WrongState(state: .awaiting))
        let joined = Task { try await request.resume() }
        await Task.yield()
        request.arrive()
        #expect(try await call.value == .fake)
        #expect(try await joined.value == .fake)
    }

    @Test func pauseAndCancelEndACall() async throws {
        let request = FakeChannelRequest(calls: [
            .waits(after: [.connecting]), .waits(after: [.connecting, .requesting]), .waits(),
        ])
        let first = Task { try await request.accept() }
        try await waitUntil("the connect") { request.state() == .connecting }
        #expect(request.pause())
        #expect(try await channelError { _ = try await first.value } == .Cancelled)
        #expect(request.state() == .connecting)

        let second = Task { try await request.accept() }
        try await waitUntil("the callback") { request.state() == .requesting }
        #expect(request.pause())
        #expect(try await channelError { _ = try await second.value } == .Cancelled)
        #expect(request.state() == .outcomeUnknown)

        let third = Task { try await request.resume() }
        try await waitUntil("the wait") { request.isRunning() }
        try await request.cancel()
        #expect(try await channelError { _ = try await third.value } == .Cancelled)
        #expect(request.state() == .cancelled)
        try await request.cancel()
    }

    @Test func tasksAreCancelledAsWithARealRequest() async throws {
        let request = FakeChannelRequest(calls: [.waits()])
        let call = Task { try await request.acceptOrPause() }
        try await waitUntil("the wait") { request.state() == .awaiting }
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        #expect(try await request.resumeOrPause() == .fake)
    }

    @Test func reportsAreMatched() async throws {
        let request = FakeChannelRequest(requestId: "one", calls: [.waits()])
        let client = FakeChannelClient(offers: [.success(request)])
        var early = IncomingChannel.fake
        early.channelId = String(repeating: "00", count: 32)
        #expect(client.reportIncomingChannel(channel: early) == .unrequested)
        _ = try await client.fetch(lnurl: FakeLnurl())
        #expect(client.request(requestId: "one") === request)
        let call = Task { try await request.accept() }
        try await waitUntil("the wait") { request.state() == .awaiting }
        #expect(client.reportIncomingChannel(channel: early) == .unrequested)
        #expect(client.reportIncomingChannel(channel: .fake) == .expected(requestId: "one"))
        #expect(try await call.value == .fake)
        #expect(client.reportIncomingChannel(channel: .fake) == .expected(requestId: "one"))
        var other = IncomingChannel.fake
        other.stage = .funded
        #expect(client.reportIncomingChannel(channel: other) == .expected(requestId: "one"))
        #expect(request.outcome() == .opening(channel: other))
        other.channelId = String(repeating: "02", count: 32)
        #expect(client.reportIncomingChannel(channel: other) == .duplicate(requestId: "one"))
        client.reportChannelFailed(peerId: PeerAddress.fake.nodeId, channelId: other.channelId)
        #expect(request.state() == .arrived)
        client.reportChannelFailed(
            peerId: PeerAddress.fake.nodeId, channelId: IncomingChannel.fake.channelId)
        #expect(request.state() == .awaiting)
        try await request.cancel()
        #expect(client.reportIncomingChannel(channel: other) == .duplicate(requestId: "one"))
        other.channelId = String(repeating: "03", count: 32)
        #expect(client.reportIncomingChannel(channel: other) == .unwanted(requestId: "one"))
    }

    /// What arrived by the test's own doing, and is reported then.
    @Test func aReportOfWhatHasArrivedIsOfItsRequest() {
        let one = FakeChannelRequest(state: .awaiting)
        let two = FakeChannelRequest(state: .awaiting)
        let client = FakeChannelClient(unfinished: [one, two])
        two.arrive()
        let verdict = client.reportIncomingChannel(channel: .fake)
        #expect(verdict == .expected(requestId: two.requestId()))
        #expect(one.state() == .awaiting)
    }

    @Test func aRequestThatIsFetchedTwiceIsOne() async throws {
        let request = FakeChannelRequest(state: .awaiting)
        let client = FakeChannelClient(offers: [.success(request), .success(request)])
        for _ in 0..<2 { #expect(try await client.fetch(lnurl: FakeLnurl()) === request) }
        #expect(client.unfinishedRequests().count == 1)
    }

    @Test(arguments: [
        (ChannelRequestState.offered, false), (.connecting, true), (.awaiting, true),
        (.outcomeUnknown, true), (.refused, true), (.arrived, true), (.declined, false),
        (.cancelled, false),
    ])
    func whatIsUnfinishedFromAnEarlierRun(_ state: ChannelRequestState, _ isUnfinished: Bool) {
        let request = FakeChannelRequest(state: state)
        #expect(request.isUnfinished == isUnfinished)
    }

    /// As a failed expectation prints them, and as lists and sets compare them.
    @Test func fakesArePrintedAndCompared() throws {
        let request = FakeChannelRequest(requestId: "one")
        #expect("\(request)" == "FakeChannelRequest(one, offered)")
        #expect(String(reflecting: request) == "FakeChannelRequest(one, offered)")
        let real = try decodeLnurl(text: "lnurlc://shop.example/")
        let fake = FakeLnurl(host: "shop.example")
        #expect("\(fake)" == "\(real)")
        #expect(String(reflecting: fake) == String(reflecting: real))
        let others: [Lnurl] = [real, fake, FakeLnurl(host: "shop.example")]
        #expect(others.allSatisfy { $0 == fake })
        #expect(Set(others).count == 1)
        #expect(!others.contains(FakeLnurl()))
    }

    @Test func messagesOfHosts() async throws {
        let payload = Data([1, 2, 3])
        let host = PeerAddress.fake.nodeId
        for (type, outcome) in [
            (UInt16(65533), ChannelOutcome.hostedOffered(terms: .fake, message: payload)),
            (65531, .hostedExists(message: payload)),
        ] {
            let request = FakeChannelRequest(offer: .fakeHosted, state: .awaiting)
            let client = FakeChannelClient(unfinished: [request])
            #expect(client.unfinishedRequests().count == 1)
            #expect(!client.reportPeerMessage(peerId: "02", messageType: type, payload: payload))
            #expect(client.reportPeerMessage(peerId: host, messageType: type, payload: payload))
            #expect(try await request.resume() == outcome)
            #expect(client.unfinishedRequests().isEmpty)
        }
    }

    @Test func aHostsMessageIsForTheRequestThatAwaitsItARunningOneFirst() async throws {
        func hosted(_ state: ChannelRequestState) -> FakeChannelRequest {
            FakeChannelRequest(offer: .fakeHosted, state: state, calls: [.waits(after: [])])
        }
        let ended = [hosted(.cancelled), hosted(.refused)]
        let (older, running, newest) = (hosted(.awaiting), hosted(.awaiting), hosted(.awaiting))
        let client = FakeChannelClient(unfinished: ended + [older, running, newest])
        let call = Task { try await running.resume() }
        try await waitUntil("the call") { running.isRunning() }
        func report() -> Bool {
            client.reportPeerMessage(
                peerId: PeerAddress.fake.nodeId, messageType: 65531, payload: Data([1]))
        }
        for next in [running, newest, older] {
            #expect(report())
            #expect(next.state() == .arrived)
        }
        #expect(try await call.value == .hostedExists(message: Data([1])))
        #expect(!report())
        #expect(ended.map { $0.state() } == [.cancelled, .refused])
    }

    @Test func shutdownEndsCalls() async throws {
        let request = FakeChannelRequest(calls: [.waits()])
        let client = FakeChannelClient(offers: [.success(request)])
        _ = try await client.fetch(lnurl: FakeLnurl())
        let call = Task { try await request.accept() }
        try await waitUntil("the wait") { request.state() == .awaiting }
        client.checkPeers()
        #expect(client.peerChecks == 1)
        await client.shutdown()
        #expect(try await channelError { _ = try await call.value } == .Cancelled)
        let error = try await channelError { _ = try await client.fetch(lnurl: FakeLnurl()) }
        #expect(error == .Cancelled)
    }

    @Test func afterShutdownNothingGoesOn() async throws {
        let request = FakeChannelRequest(state: .awaiting)
        let hosted = FakeChannelRequest(offer: .fakeHosted, state: .awaiting)
        let client = FakeChannelClient(unfinished: [request, hosted])
        await client.shutdown()
        #expect(client.reportIncomingChannel(channel: .fake) == .unrequested)
        #expect(
            !client.reportPeerMessage(
                peerId: PeerAddress.fake.nodeId, messageType: 65531, payload: Data([1])))
        #expect(!request.arrive())
        #expect(try await channelError { _ = try await request.accept() } == .Cancelled)
        #expect(try await channelError { _ = try await request.resume() } == .Cancelled)
        #expect(try await channelError { try request.decline() } == .Cancelled)
        #expect(try await channelError { try await request.cancel() } == .Cancelled)
        #expect(request.state() == .awaiting)
    }
}
