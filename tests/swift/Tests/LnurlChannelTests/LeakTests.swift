import Foundation
import LnurlChannel
import Testing

/// What is let go of is gone: objects, handles, memory.
@Suite struct LeakTests {
    private let calls = 10_000
    /// Far below what 10,000 leaked requests, futures or closures would take.
    private let allowedGrowth = 8 << 20

    @Test func theNodeIsLetGoOfAtShutdown() async throws {
        weak var node: PlainNode?
        weak var listener: Listener?
        weak var client: ChannelClient?
        weak var request: ChannelRequest?
        do {
            let held = PlainNode(connect: { _ in false })
            let scene = try await Scene.make(node: held)
            for _ in 0..<20 { _ = try? await scene.request.accept() }
            (node, listener, client, request) = (held, scene.listener, scene.client, scene.request)
            await scene.client.shutdown()
        }
        try await waitUntil("all to be gone") {
            node == nil && listener == nil && client == nil && request == nil
        }
    }

    @Test func aClientThatIsDroppedLetsGoOfItsNode() async throws {
        weak var node: PlainNode?
        weak var listener: Listener?
        do {
            let (held, hearing) = (PlainNode(), Listener())
            _ = try ChannelClient(
                node: held, listener: hearing, config: ClientConfig(storageDir: nil))
            (node, listener) = (held, hearing)
        }
        try await waitUntil("both to be gone") { node == nil && listener == nil }
    }

    /// It is the client's listener, and follows the client.
    @Test func aListOfRequestsKeepsNoClient() async throws {
        weak var client: ChannelClient?
        weak var requests: ChannelRequests?
        let stream: AsyncStream<[ChannelRequestSnapshot]>
        do {
            let list = ChannelRequests()
            let held = try ChannelClient(
                node: PlainNode(), listener: list, config: ClientConfig(storageDir: nil))
            list.follow(held)
            stream = list.updates()
            (client, requests) = (held, list)
        }
        try await waitUntil("both to be gone") { client == nil && requests == nil }
        for await _ in stream {}
    }

    @Test func tenThousandSynchronousCalls() async throws {
        let scene = try await Scene.make()
        let channel = try scene.channel()
        let text = try scene.offer.text("lnurl")
        let growth = try await growth {
            _ = try decodeLnurl(text: text).authority()
            _ = scene.client.request(requestId: scene.request.requestId())?.snapshot()
            _ = scene.client.reportIncomingChannel(channel: channel)
            _ = try? decodeLnurl(text: "nothing")
        }
        #expect(growth < allowedGrowth, "\(growth) bytes")
    }

    @Test func tenThousandAsynchronousCalls() async throws {
        let scene = try await Scene.make()
        try await scene.request.cancel()
        let growth = try await growth {
            _ = try? await scene.request.accept()
        }
        #expect(growth < allowedGrowth, "\(growth) bytes")
    }

    /// Each is cancelled while it waits.
    @Test func tenThousandCancellations() async throws {
        let scene = try await Scene.waiting()
        let request = scene.request
        let first = Task { try await request.accept() }
        try await scene.listener.hears(.awaiting)
        let growth = try await growth {
            let call = Task { try await request.accept() }
            await Task.yield()
            call.cancel()
            _ = await call.result
        }
        #expect(growth < allowedGrowth, "\(growth) bytes")
        first.cancel()
        _ = await first.result
    }

    /// Each call asks the node for its key, connects, and tells the listener.
    @Test func tenThousandCallsWithCallbacks() async throws {
        let testbed = try Testbed()
        let client = try ChannelClient(
            node: ForgetfulNode(), listener: ForgetfulListener(), config: testbed.config())
        let request = try await fetch(testbed.offer(), with: client)
        let growth = try await growth {
            _ = try? await request.accept()
        }
        #expect(growth < allowedGrowth, "\(growth) bytes")
        #expect(request.state == .offered)
    }

    @Test func aThousandClients() async throws {
        let growth = try await growth(count: 1_000) {
            let client = try ChannelClient(
                node: ForgetfulNode(), listener: ForgetfulListener(),
                config: ClientConfig(storageDir: nil))
            await client.shutdown()
        }
        #expect(growth < allowedGrowth, "\(growth) bytes")
    }

    /// The measure itself: 10,000 decoded LNURLs that are kept do show.
    @Test func whatIsKeptShows() async throws {
        let text = try encodeLnurl(url: "https://service.example/" + String(repeating: "a", count: 2_000))
        var kept: [Lnurl] = []
        let growth = try await growth { kept.append(try decodeLnurl(text: text)) }
        #expect(growth > allowedGrowth, "\(growth) bytes")
        #expect(kept.count > calls)
    }

    /// How much the memory grows after the first tenth, which fills pools and caches.
    private func growth(count: Int? = nil, _ call: () async throws -> Void) async throws -> Int {
        let count = count ?? calls
        for _ in 0..<count / 10 { try await call() }
        let before = residentMemory()
        #expect(before > 0)
        for _ in 0..<count { try await call() }
        let growth = residentMemory() - before
        print("grew by \(growth >> 10) KiB in \(count) calls")
        return growth
    }
}

/// A node that keeps nothing, and never connects.
private final class ForgetfulNode: WalletNode {
    func nodeId() throws -> String { plainNodeId }
    func readiness(peer: PeerAddress) throws -> NodeReadiness { NodeReadiness(channelIds: []) }
    func connect(peer: PeerAddress) throws -> Bool { false }
    func releasePeer(peer: PeerAddress) throws {}
}

private final class ForgetfulListener: ChannelListener {
    func onRequestChanged(request: ChannelRequestSnapshot, step: ChannelStep) throws {}
}

/// Bytes of this process that are in memory.
private func residentMemory() -> Int {
    #if canImport(Darwin)
        var info = mach_task_basic_info()
        var count = mach_msg_type_number_t(
            MemoryLayout<mach_task_basic_info>.size / MemoryLayout<natural_t>.size)
        _ = withUnsafeMutablePointer(to: &info) {
            $0.withMemoryRebound(to: integer_t.self, capacity: Int(count)) {
                task_info(mach_task_self_, task_flavor_t(MACH_TASK_BASIC_INFO), $0, &count)
            }
        }
        return Int(info.resident_size)
    #else
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
    #endif
}
