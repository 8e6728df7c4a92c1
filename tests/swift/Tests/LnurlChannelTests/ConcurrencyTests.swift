import Foundation
import LnurlChannel
import Testing

/// Many tasks, many threads, and an end in the middle of it.
@Suite struct ConcurrencyTests {
    private let many = 40

    @Test func manyRequestsAtOnce() async throws {
        let testbed = try Testbed()
        let node = PlainNode()
        let client = try ChannelClient(node: node, config: testbed.config())
        let offers = try (0..<many).map { _ in try testbed.offer(["habits": ["OkAndNeverOpens"]]) }
        // One channel for each request that has been made: the oldest gets it.
        let pump = Task.detached {
            let peer = try testbed.target().text("id")
            for number in 0..<offers.count {
                let count = number + 1
                try await waitUntil("\(count) requests") {
                    node.events.all.filter(isRequesting).count >= count
                }
                _ = client.reportIncomingChannel(
                    channel: IncomingChannel(
                        peerId: peer, channelId: Data(repeating: UInt8(count), count: 32).hex))
            }
        }
        let outcomes = try await withThrowingTaskGroup(of: ChannelOutcome.self) { group in
            for offer in offers {
                group.addTask {
                    try await fetch(offer, with: client).acceptOrPause()
                }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        try await pump.value
        #expect(outcomes.count == many)
        #expect(client.unfinishedRequests().isEmpty)
        // A callback may still be under way when its channel is there.
        try await testbed.waitForRequests(2 * many)
        #expect(try testbed.callbacks().count == many)
    }

    @Test func theSynchronousCallsFromManyThreads() async throws {
        let scene = try await Scene.make()
        let client = scene.client
        let request = scene.request
        let channel = try scene.proposal()
        let answers = Watched<Bool>()
        for _ in 0..<8 {
            Thread.detachNewThread {
                var ok = true
                for _ in 0..<250 {
                    ok = ok && client.reportIncomingChannel(channel: channel) == .unrequested
                    ok = ok && client.request(requestId: request.id)?.state() == .offered
                    ok = ok && !request.pause() && !request.isRunning()
                    ok = ok && request.offer().kind == .funded
                    client.checkPeers()
                }
                answers.append(ok)
            }
        }
        try await waitUntil("eight threads") { answers.all.count == 8 }
        #expect(answers.all.allSatisfy { $0 })
    }

    @Test func twoAcceptsAtOnceAskOnce() async throws {
        let node = PlainNode()
        let scene = try await Scene.make(node: node, offer: ["habits": ["OkAndNeverOpens"]])
        let request = scene.request
        let first = Task { try await request.accept() }
        try await node.events.first("the wait", where: isAwaiting)
        let error = try await channelError { _ = try await request.accept() }
        #expect(error == .WrongState(state: .awaiting))
        let joined = Task { try await request.resume() }
        let channel = try scene.proposal()
        _ = scene.client.reportIncomingChannel(channel: channel)
        #expect(try await first.value == .opening(channel: channel))
        #expect(try await joined.value == .opening(channel: channel))
    }

    @Test func shutdownEndsAllCalls() async throws {
        let testbed = try Testbed()
        let node = PlainNode()
        let client = try ChannelClient(node: node, config: testbed.config())
        let offers = try (0..<12).map { _ in try testbed.offer(["habits": ["OkAndNeverOpens"]]) }
        var requests: [ChannelRequest] = []
        for offer in offers { requests.append(try await fetch(offer, with: client)) }
        let calls = requests.map { request in Task { try await request.acceptOrPause() } }
        // In the middle: some wait, some connect, some have not begun.
        try await node.events.first("a wait", where: isAwaiting)
        await client.shutdown()
        for call in calls {
            #expect(try await channelError { _ = try await call.value } == .Cancelled)
        }
        let seen = node.events.all.count
        let request = requests[0]
        #expect(try await channelError { _ = try await request.resume() } == .Cancelled)
        #expect(
            try await channelError { _ = try await fetch(offers[0], with: client) } == .Cancelled)
        await client.shutdown()
        #expect(node.events.all.count == seen)
    }

    @Test func shutdownWaitsForCallbacks() async throws {
        let gate = Gate()
        let returned = Watched<Bool>()
        let node = PlainNode(connect: { _ in
            gate.pass()
            returned.append(true)
            return true
        })
        let scene = try await Scene.make(node: node)
        let request = scene.request
        let call = Task { try await request.accept() }
        try await node.connecting.first("connect") { _ in true }
        let client = scene.client
        let shutdown = Task {
            await client.shutdown()
            return returned.all.count
        }
        #expect(try await channelError { _ = try await call.value } == .Cancelled)
        gate.open()
        #expect(await shutdown.value == 1)
    }
}
