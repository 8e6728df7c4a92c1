import Foundation
import LnurlChannel
import Testing

/// How often a whole flow crosses between the wallet and the library: what grows by itself would go
/// unseen.
@Suite struct CallTests {
    @Test func aFundedFlowCallsTheWalletOnceForEachThingItNeeds() async throws {
        let flow = try await Flow.run("channel")
        print(flow)
        #expect(flow.node == ["connect": 1, "nodeId": 1, "readiness": 1])
        #expect(flow.listener <= Bound.fundedSteps)
    }

    @Test func aHostedFlowCallsTheWalletOnceForEachThingItNeeds() async throws {
        let flow = try await Flow.run("hosted")
        print(flow)
        #expect(
            flow.node == ["connect": 1, "nodeId": 1, "readiness": 1, "refund": 1, "send": 1])
        #expect(flow.listener <= Bound.hostedSteps)
    }

    @Test func aFlowCallsTheLibrarySeldom() async throws {
        let library = ["CALLS_LIBRARY": built("debug/liblnurl_channel.so")]
        guard let lines = try await again("childThatCounts", shim: "calls", environment: library)
        else { return }
        let told = lines.filter { $0.hasPrefix("Flow(") }
        for line in told { print(line) }
        let counts = told.compactMap { line in
            line.components(separatedBy: "library: ").last.flatMap { Int($0.dropLast()) }
        }
        try #require(counts.count == 2, "\(lines)")
        #expect((1...Bound.fundedCalls).contains(counts[0]))
        #expect((1...Bound.hostedCalls).contains(counts[1]))
    }

    /// Not a test of its own: the one above runs it.
    @Test func childThatCounts() async throws {
        guard isChild("childThatCounts") else { return }
        for kind in ["channel", "hosted"] { print(try await Flow.run(kind)) }
    }

    private enum Bound {
        /// 6 were seen, and 4 of a hosted flow; no flow has more changes than this to tell of.
        static let fundedSteps = 10
        static let hostedSteps = 8

        /// 45 were seen with 6 changes, and 41 with 4 of a hosted flow: what the wallet calls itself,
        /// each with the handle of its object; five or six for a call that waits; two buffers for each
        /// method of the node, and two for each change that the listener hears of. The rest is room for
        /// the changes above.
        static let fundedCalls = 56
        static let hostedCalls = 50
    }
}

/// From the scanned text to the channel, and until the listener has heard of the call's end.
private struct Flow {
    let node: [String: Int]
    let listener: Int
    let library: Int

    static func run(_ kind: String) async throws -> Flow {
        let testbed = try Testbed()
        let node = CountedNode(LdkNode(testbed))
        let listener = Listener()
        let client = try ChannelClient(node: node, listener: listener, config: testbed.config())
        let pump = Pump(testbed, client)
        let text = try testbed.offer(["kind": kind]).text("lnurl")
        let before = libraryCalls()
        let request = try await client.fetch(lnurl: decodeLnurl(text: text))
        _ = try await request.accept()
        try await listener.changes.first("the end of the call") {
            $0.request.state == .arrived && !$0.request.isRunning
        }
        let after = libraryCalls()
        let flow = Flow(
            node: node.calls, listener: listener.changes.all.count, library: after - before)
        await client.shutdown()
        withExtendedLifetime(pump) {}
        return flow
    }

    /// None where they are not counted.
    private static func libraryCalls() -> Int {
        guard let counter = dlsym(dlopen(nil, RTLD_NOW), "calls_so_far") else { return 0 }
        return Int(unsafeBitCast(counter, to: (@convention(c) () -> UInt).self)())
    }
}

/// A node, and how often each of its methods was called.
private final class CountedNode: WalletNode, @unchecked Sendable {
    private let node: any WalletNode
    private let lock = NSLock()
    private var counts: [String: Int] = [:]

    init(_ node: any WalletNode) {
        self.node = node
    }

    var calls: [String: Int] { lock.withLock { counts } }

    func nodeId() throws -> String {
        count("nodeId")
        return try node.nodeId()
    }

    func readiness(peer: PeerAddress) throws -> NodeReadiness {
        count("readiness")
        return try node.readiness(peer: peer)
    }

    func connect(peer: PeerAddress) throws -> Bool {
        count("connect")
        return try node.connect(peer: peer)
    }

    func releasePeer(peer: PeerAddress) throws {
        count("releasePeer")
        try node.releasePeer(peer: peer)
    }

    func sendPeerMessage(peerId: String, messageType: UInt16, payload: Data) throws -> Bool {
        count("send")
        return try node.sendPeerMessage(peerId: peerId, messageType: messageType, payload: payload)
    }

    func refundScriptPubkey(requestId: String) throws -> Data {
        count("refund")
        return try node.refundScriptPubkey(requestId: requestId)
    }

    private func count(_ method: String) {
        lock.withLock { counts[method, default: 0] += 1 }
    }
}
