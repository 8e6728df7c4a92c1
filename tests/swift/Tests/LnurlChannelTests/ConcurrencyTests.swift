import Foundation
import LnurlChannel
import Testing

/// Many tasks, many threads, and an end in the middle of it.
@Suite struct ConcurrencyTests {
    private let many = 40

    @Test func manyRequestsAtOnce() async throws {
        let testbed = try Testbed()
        let listener = Listener()
        let client = try ChannelClient(
            node: PlainNode(), listener: listener, config: testbed.config())
        let offers = try (0..<many).map { _ in try testbed.offer(["habits": ["OkAndNeverOpens"]]) }
        // Once the service has agreed to all of them: what is not sent yet when a channel comes never is.
        let pump = Task.detached {
            let peer = try testbed.target().text("id")
            try await waitUntil("all to wait") {
                let waiting = listener.changes.all.filter { $0.request.state == .awaiting }
                return Set(waiting.map(\.request.id)).count == offers.count
            }
            for number in 1...offers.count {
                _ = client.reportIncomingChannel(
                    channel: IncomingChannel(
                        peerId: peer, stage: .funded,
                        channelId: Data(repeating: UInt8(number), count: 32).hex))
            }
        }
        let outcomes = try await withThrowingTaskGroup(of: ChannelOutcome.self) { group in
            for offer in offers {
                group.addTask { try await fetch(offer, with: client).accept() }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        try await pump.value
        #expect(outcomes.count == many)
        #expect(client.requests().map(\.state) == Array(repeating: .arrived, count: many))
        #expect(try testbed.callbacks().count == many)
    }

    @Test func theSynchronousCallsFromManyThreads() async throws {
        let scene = try await Scene.make()
        let client = scene.client
        let request = scene.request
        let channel = try scene.channel()
        let answers = Watched<Bool>()
        for _ in 0..<8 {
            Thread.detachNewThread {
                var ok = true
                for _ in 0..<250 {
                    ok = ok && client.reportIncomingChannel(channel: channel) == .unrequested
                    ok = ok && client.request(requestId: request.requestId())?.state == .offered
                    ok = ok && client.requests().isEmpty
                    request.pause()
                    client.checkPeers()
                }
                answers.append(ok)
            }
        }
        try await waitUntil("eight threads") { answers.all.count == 8 }
        #expect(answers.all.allSatisfy { $0 })
    }

    @Test func manyAcceptsAtOnceAskOnce() async throws {
        let scene = try await Scene.waiting()
        let request = scene.request
        let calls = (0..<many).map { _ in Task { try await request.accept() } }
        try await scene.listener.hears(.awaiting)
        #expect(try scene.report() == .expected(requestId: request.requestId()))
        for call in calls { #expect(try await call.value == .funded(channel: scene.channel())) }
        // After the end too.
        #expect(try await request.accept() == .funded(channel: scene.channel()))
        #expect(try scene.testbed.callbacks().count == 1)
    }

    @Test func shutdownEndsAllCalls() async throws {
        let testbed = try Testbed()
        let listener = Listener()
        let client = try ChannelClient(
            node: PlainNode(), listener: listener, config: testbed.config())
        let offers = try (0..<12).map { _ in try testbed.offer(["habits": ["OkAndNeverOpens"]]) }
        var requests: [ChannelRequest] = []
        for offer in offers { requests.append(try await fetch(offer, with: client)) }
        let calls = requests.map { request in Task { try await request.accept() } }
        // In the middle: some wait, some connect, some have not begun.
        try await listener.hears(.awaiting)
        await client.shutdown()
        for call in calls {
            #expect(try await channelError { _ = try await call.value } == .Cancelled)
        }
        let request = requests[0]
        #expect(try await channelError { _ = try await request.accept() } == .Cancelled)
        #expect(
            try await channelError { _ = try await fetch(offers[0], with: client) } == .Cancelled)
        await client.shutdown()
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
