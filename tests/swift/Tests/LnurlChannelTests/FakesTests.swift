import Foundation
import LnurlChannel
import LnurlChannelTesting
import Testing

/// The fakes do what a test says, and nothing else.
@Suite(.timeLimit(.minutes(1))) struct FakesTests {
    @Test func aScriptIsPlayedInOrderAndItsLastAnswerStays() async throws {
        let request = FakeChannelRequest()
        request.acceptThrows(.NodeFailed(problem: .timedOut, reason: "asleep"))
        request.acceptReturns(.fake)
        let error = try await channelError { _ = try await request.accept() }
        #expect(error == .NodeFailed(problem: .timedOut, reason: "asleep"))
        for _ in 0..<2 { #expect(try await request.accept(visibility: .announced) == .fake) }
        #expect(request.accepts == [.unannounced, .announced, .announced])
        // Nothing follows from it: the test says what the request becomes.
        #expect(request.snapshot().state == .offered)
    }

    @Test func whatTheTestDoesNotSayFails() async throws {
        let request = FakeChannelRequest()
        await #expect(throws: NotScripted.self) { try await request.accept() }
        await #expect(throws: NotScripted.self) { try await request.askAgain() }
        let client = FakeChannelClient()
        await #expect {
            try await client.fetch(lnurl: FakeLnurl())
        } throws: {
            $0.localizedDescription == "the test does not say what fetch does"
        }
        #expect(throws: NotScripted.self) {
            try client.takeAnswer(lnurl: FakeLnurl(), answer: "{}")
        }
    }

    @Test func callsWithoutAResultReturnAtOnce() async throws {
        let request = FakeChannelRequest()
        request.pause()
        try await request.cancel()
        try await request.dismiss()
        #expect((request.pauses, request.cancels, request.dismissals) == (1, 1, 1))
        request.cancelThrows(.WrongState(state: .arrived))
        request.dismissThrows(.WrongState(state: .offered))
        #expect(try await channelError { try await request.cancel() } == .WrongState(state: .arrived))
        #expect(
            try await channelError { try await request.dismiss() } == .WrongState(state: .offered))
    }

    @Test func askingAgainHasAScriptOfItsOwn() async throws {
        let request = FakeChannelRequest()
        request.acceptThrows(.NoChannel(serviceAgreed: true, concerns: [], reason: ""))
        request.askAgainThrows(.Refused(words: "sold out"))
        request.askAgainReturns(.fakeHosted)
        _ = try await channelError { _ = try await request.accept() }
        let refused = try await channelError { _ = try await request.askAgain() }
        #expect(refused == .Refused(words: "sold out"))
        #expect(try await request.askAgain(visibility: .announced) == .fakeHosted)
        #expect(request.asksAgain == [.unannounced, .announced])
    }

    @Test func anAnswerComesInItsTime() async throws {
        let clock = VirtualClock()
        let request = FakeChannelRequest(clock: clock)
        request.acceptReturns(.fake, after: .seconds(60))
        let call = Task { try await request.accept() }
        await clock.sleepers(1)
        clock.advance(by: .seconds(59))
        await clock.sleepers(1)
        clock.advance(by: .seconds(1))
        #expect(try await call.value == .fake)
        #expect(clock.now.elapsed == .seconds(60))
    }

    /// Else a test that waits for too many would never end, whatever its time limit.
    @Test func whoWaitsForSleepersCanBeCancelled() async {
        let clock = VirtualClock()
        let waiting = Task { await clock.sleepers(1) }
        waiting.cancel()
        await waiting.value
        let late = Task {
            while !Task.isCancelled { await Task.yield() }
            await clock.sleepers(1)
        }
        late.cancel()
        await late.value
    }

    @Test func anyClockWillDo() async throws {
        let clock = ContinuousClock()
        let client = FakeChannelClient(clock: clock)
        client.fetchThrows(.Unreachable(problem: .timedOut, reason: ""), after: .milliseconds(20))
        let start = clock.now
        _ = try await channelError { _ = try await client.fetch(lnurl: FakeLnurl()) }
        #expect(clock.now - start >= .milliseconds(20))
    }

    /// As with a real request.
    @Test func aTaskThatWaitsCanBeCancelled() async throws {
        let clock = VirtualClock()
        let request = FakeChannelRequest(clock: clock)
        request.acceptReturns(.fake, after: .seconds(60))
        let call = Task { try await request.accept() }
        await clock.sleepers(1)
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        // Before it began, too.
        let late = Task { try await request.accept() }
        late.cancel()
        await #expect(throws: CancellationError.self) { try await late.value }
    }

    @Test func aRequestBecomesWhatTheTestSays() async throws {
        let listener = Listener()
        let client = FakeChannelClient(listener: listener)
        let request = client.fetchReturns(FakeChannelRequest(.fake(requestId: "one")))
        // Nobody hears of it before it is fetched.
        request.becomes { $0.isPeerConnected = true }
        #expect(listener.changes.all.isEmpty)
        let fetched = try await client.fetch(lnurl: FakeLnurl(authority: "shop.example:8443"))
        #expect(fetched === request)
        #expect(client.fetched.map { $0.authority() } == ["shop.example:8443"])
        #expect(client.request(requestId: "one") === request)
        #expect(client.requests().isEmpty)

        request.becomes(.fake(requestId: "one", state: .opening) { $0.channel = .fake }, .proposed)
        let change = try #require(listener.changes.all.first)
        #expect(change.step == .proposed)
        #expect(change.request.channel == .fake)
        #expect(change.request.revision == 2)
        #expect(client.requests() == [change.request])
        #expect(request.snapshot() == change.request)
    }

    @Test func channelsAreJudgedAsTheTestSays() {
        let client = FakeChannelClient()
        #expect(client.reportIncomingChannel(channel: .fake) == .unrequested)
        client.judges(.expected(requestId: "one"))
        client.judges(.unwanted(requestId: "two"))
        let verdicts = (0..<3).map { _ in client.reportIncomingChannel(channel: .fake) }
        #expect(
            verdicts == [
                .expected(requestId: "one"), .unwanted(requestId: "two"),
                .unwanted(requestId: "two"),
            ])
        #expect(client.reportedChannels == Array(repeating: .fake, count: 4))
    }

    @Test func reportsAreKept() async {
        let client = FakeChannelClient()
        client.reportChannelClosed(peerId: "02", channelId: "01", reason: "force")
        client.reportChannelClosed(peerId: "02", channelId: nil)
        client.reportPeerConnection(peerId: "02", isConnected: true)
        #expect(!client.reportPeerMessage(peerId: "02", messageType: 65533, payload: Data([1])))
        client.reportPeerMessageReturns(true)
        #expect(client.reportPeerMessage(peerId: "02", messageType: 65531, payload: Data([2])))
        client.checkPeers()
        await client.shutdown()
        #expect(client.reportedClosings.map(\.reason) == ["force", nil])
        #expect(client.reportedClosings.map(\.channelId) == ["01", nil])
        #expect(client.reportedConnections.map(\.isConnected) == [true])
        #expect(client.reportedMessages.map(\.payload) == [Data([1]), Data([2])])
        #expect(client.peerChecks == 1)
        #expect(client.isShutDown)
    }

    @Test func anAnswerThatTheWalletFetchedItself() throws {
        let client = FakeChannelClient()
        let request = client.takeAnswerReturns(FakeChannelRequest())
        client.takeAnswerThrows(.InvalidResponse(reason: "no uri"))
        let taken = try client.takeAnswer(lnurl: FakeLnurl(), answer: "{}")
        #expect(taken === request)
        #expect(throws: LnurlChannelError.InvalidResponse(reason: "no uri")) {
            try client.takeAnswer(lnurl: FakeLnurl(), answer: "[]")
        }
        #expect(client.takenAnswers == ["{}", "[]"])
    }

    /// As a failed expectation prints them, and as lists and sets compare them.
    @Test func fakesArePrintedAndCompared() throws {
        let request = FakeChannelRequest(.fake(requestId: "one"))
        #expect("\(request)" == "FakeChannelRequest(one, offered)")
        #expect(String(reflecting: request) == "FakeChannelRequest(one, offered)")
        let real = try decodeLnurl(text: "lnurlc://shop.example/")
        let fake = FakeLnurl(url: "https://shop.example/", host: "shop.example")
        #expect("\(fake)" == "\(real)")
        #expect(String(reflecting: fake) == String(reflecting: real))
        let others: [Lnurl] = [
            real, fake, FakeLnurl(url: "https://shop.example/", host: "shop.example"),
        ]
        #expect(others.allSatisfy { $0 == fake })
        #expect(Set(others).count == 1)
        #expect(!others.contains(FakeLnurl()))
    }

    @Test func aClockWakesWhoIsDue() async throws {
        let clock = VirtualClock()
        let woken = Watched<Int>()
        let sleepers = [3, 1, 2].map { seconds in
            Task {
                try await clock.sleep(for: .seconds(seconds))
                woken.append(seconds)
            }
        }
        await clock.sleepers(3)
        clock.advance(by: .seconds(2))
        for sleeper in sleepers[1...] { try await sleeper.value }
        #expect(Set(woken.all) == [1, 2])
        clock.advance(by: .seconds(1))
        try await sleepers[0].value
        // What is due already does not sleep.
        try await clock.sleep(until: clock.now)
    }
}
