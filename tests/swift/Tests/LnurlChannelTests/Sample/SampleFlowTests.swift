import Foundation
import SampleApp
import Testing

@testable import ChannelScreen
@testable import LnurlChannel

/// The iOS sample without its views, on the real library and real nodes.
@MainActor
@Suite(.timeLimit(.minutes(2))) struct SampleFlowTests {
    @Test func aFundedChannelFromTheScanToItsReceipt() async throws {
        let testbed = try Testbed()
        let folder = try TemporaryFolder()
        let run = try SampleRun(testbed, folder: folder.path)
        run.start()
        let model = run.model
        model.see("lightning:" + (try testbed.offer(["push_msat": 7_000]).text("lnurl")))
        guard case .consent(let authority, false) = model.state.page else {
            Issue.record("no consent")
            return
        }
        #expect(authority.hasPrefix("localhost:"))
        #expect(try testbed.get("/requests").list("requests").isEmpty, "nothing is sent before the user agrees")
        await model.fetch()
        let target = try testbed.target()
        #expect(try run.page?.offer.last?.value == target.text("id"))
        #expect(run.page?.concerns == [])
        let accepting = Task { await model.act(.accept) }
        try await run.waitFor("The channel has come, and cannot be used yet")
        #expect(run.page?.waitsUntil == nil, "confirmations take as long as they take")
        try await testbed.waitForTarget("ChannelPending")
        try testbed.post("/mine")
        await accepting.value
        try await run.waitFor("The channel can be used")
        #expect(run.progress.contains("The peer is opening the channel"))
        let deadlines = run.states.compactMap { state -> Date? in
            if case .request(let page) = state.page { page.waitsUntil } else { nil }
        }
        #expect(!deadlines.isEmpty && deadlines.allSatisfy { abs($0.timeIntervalSinceNow) <= 60 })
        #expect(run.page?.result.contains(Row(label: .resultReceived, value: "7 sat")) == true)
        #expect(run.outcomes.all.count == 1)
        let receipt = try Json(data: Data(try #require(model.receipt()).utf8))
        #expect(try receipt.text("state") == "Ready")
        #expect(try testbed.callbacks().count == 1)
        await model.act(.dismiss)
        #expect(model.state.page == .scan)
        #expect(model.state.history.map(\.title) == [authority])
        try await run.end()
    }

    @Test func aHostedChannelAndOneThatExists() async throws {
        let testbed = try Testbed()
        let folder = try TemporaryFolder()
        let run = try SampleRun(testbed, folder: folder.path)
        run.start()
        for (habits, status) in [
            ([], "The host offers the channel"),
            (["HostedChannelExists"], "The host already holds a channel of this wallet"),
        ] {
            run.model.open(try testbed.offer(["kind": "hosted", "habits": habits]).text("lnurl"))
            await run.model.fetch()
            #expect(run.page?.choosesVisibility == false)
            await run.model.act(.accept)
            #expect(run.page?.status == status)
            await run.model.act(.dismiss)
        }
        #expect(run.outcomes.all.count == 2)
        #expect(run.model.state.history.count == 2)
        try await run.end()
    }

    /// The user chose an announced channel; the process ends while it is awaited; the next one goes on.
    @Test func aKilledAppGoesOnWhereItWas() async throws {
        let testbed = try Testbed()
        let folder = try TemporaryFolder()
        let first = try SampleRun(testbed, folder: folder.path)
        first.start()
        let text = try testbed.offer(["habits": ["OkAndNeverOpens"]]).text("lnurl")
        first.model.open(text)
        await first.model.fetch()
        #expect(first.model.saved.scanned == text)
        await first.model.choose(.announced)
        let accepting = Task { await first.model.act(.accept) }
        try await first.waitFor("The service agreed")
        let saved = first.model.saved
        #expect(saved.scanned == nil && saved.requestId != nil, "the text is not kept longer than needed")
        try await first.end()
        await accepting.value

        let second = try SampleRun(testbed, folder: folder.path)
        second.start(saved)
        try await waitUntil("it waits on") { second.page?.isRunning == true }
        #expect(second.page?.requestId == saved.requestId)
        let asked = try testbed.callbacks()
        #expect(asked.count == 1 && asked[0].hasSuffix("private=0"))
        await second.model.act(.cancel)
        #expect(second.model.state.page == .scan)
        #expect(second.model.state.history.map(\.status) == ["Cancelled"])
        try await second.end()
    }

    /// The user looks at an older request, and the wallet still gets what its hosted channel goes on from.
    @Test func aKilledAppIsHandedItsHostedChannelAgain() async throws {
        let testbed = try Testbed()
        let folder = try TemporaryFolder()
        let first = try SampleRun(testbed, folder: folder.path)
        first.start()
        for options in [["habits": ["ErrorAnswer"]], ["kind": "hosted"]] as [[String: Any]] {
            first.model.open(try testbed.offer(options).text("lnurl"))
            await first.model.fetch()
            await first.model.act(.accept)
        }
        #expect(first.outcomes.all.count == 1)
        let refused = try #require(first.model.state.history.last?.id)
        first.model.open(requestId: refused)
        let saved = first.model.saved
        try await first.end()

        let second = try SampleRun(testbed, folder: folder.path)
        second.start(saved)
        try await waitUntil("it is handed over") { second.outcomes.all == first.outcomes.all }
        #expect(second.page?.requestId == refused)
        let hosted = try #require(second.model.state.history.first?.id)
        second.model.open(requestId: hosted)
        await second.model.act(.dismiss)
        try await second.end()

        let third = try SampleRun(testbed, folder: folder.path)
        third.start()
        try await waitUntil("the client") { third.model.waits != nil }
        await third.model.waits?.waits?.value
        #expect(third.outcomes.all.isEmpty)
        try await third.end()
    }

    @Test func anOfferThatWasNotAcceptedNeedsConsentAnew() async throws {
        let testbed = try Testbed()
        let folder = try TemporaryFolder()
        let first = try SampleRun(testbed, folder: folder.path)
        first.start()
        first.model.open(try testbed.offer().text("lnurl"))
        await first.model.fetch()
        let saved = first.model.saved
        try await first.end()

        let second = try SampleRun(testbed, folder: folder.path)
        second.start(saved)
        try await waitUntil("the client") { second.model.waits != nil }
        guard case .consent(_, false) = second.model.state.page else {
            Issue.record("\(second.model.state.page)")
            return
        }
        #expect(try testbed.get("/requests").list("requests").count == 1)
        try await second.end()
    }

    @Test func whatAServiceRefusesIsToldInItsWords() async throws {
        let testbed = try Testbed()
        let folder = try TemporaryFolder()
        let run = try SampleRun(testbed, folder: folder.path)
        run.start()
        run.model.open(try testbed.offer(["habits": ["ErrorAnswer"]]).text("lnurl"))
        await run.model.fetch()
        await run.model.act(.accept)
        #expect(run.page?.status.hasPrefix("The service said no: ") == true)
        #expect(run.page?.actions == [.dismiss])
        #expect(run.model.state.problem == nil)
        try await run.end()
    }

    /// As the app shows it without a network.
    @Test func theDemoNodeLeadsToAHostedChannel() async throws {
        let folder = try TemporaryFolder()
        let node = DemoNode()
        let config = ClientConfig(storageDir: try channelFolder(in: URL(fileURLWithPath: folder.path)).path)
        let wallet = WalletClient { listener in
            let client = try ChannelClient(node: node, listener: listener, config: config)
            node.start(client)
            return client
        }
        let outcomes = Outcomes()
        let model = ChannelScreenModel(wallet: wallet, time: NoTime()) { try outcomes.take($1) }
        let running = Task { await model.run() }
        model.open(DemoNode.lnurl)
        await model.fetch()
        await model.act(.accept)
        guard case .request(let page) = model.state.page else {
            Issue.record("\(model.state)")
            return
        }
        #expect(page.status == "The host offers the channel")
        #expect(outcomes.all.count == 1)
        #expect(page.result.first?.value == "100,000 sat")
        #expect(page.offer.first { $0.label == .offerService }?.value.hasPrefix("Nobody vouches") == true)
        running.cancel()
        await running.value
        await (try wallet.client() as? ChannelClient)?.shutdown()
    }
}
