import Foundation
import LnurlChannel
import Testing

/// What needs no other process and no network: ios/SimulatorTests runs it in the simulator too, on the
/// xcframework. Android's instrumented test goes the same way.
@Suite(.timeLimit(.minutes(1))) struct SimulatorTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)

    @Test func aHostedOfferLeadsToAChannelAndIsThereAfterARestart() async throws {
        let node = BothEnds()
        let config = ClientConfig(storageDir: try channelFolder(in: folder).path)
        let requests = ChannelRequests()
        let client = try ChannelClient(node: node, listener: requests, config: config)
        requests.follow(client)
        node.report = { [weak client] in
            _ = client?.reportPeerMessage(peerId: $0, messageType: 65_533, payload: $1)
        }

        let lnurl = try decodeLnurl(text: "lightning:" + encodeLnurl(url: offer))
        #expect(lnurl.authority() == "host.example")
        let request = try await client.fetch(lnurl: lnurl)
        #expect(request.snapshot().offer.kind == .hosted)
        guard case .hostedOffered(let terms, _) = try await request.accept() else {
            Issue.record("no hosted channel")
            return
        }
        #expect(terms.capacityMsat == 100_000_000)
        await client.shutdown()

        let next = try ChannelClient(node: node, listener: ChannelRequests(), config: config)
        #expect(next.requests().map(\.requestId) == [request.requestId()])
        #expect(next.requests().first?.hostedTerms == terms)
        await next.shutdown()
        try FileManager.default.removeItem(at: folder)
    }

    @Test func anErrorComesWithItsFields() throws {
        do {
            _ = try decodeLnurl(text: "lnbc1 is an invoice")
            Issue.record("no error")
        } catch LnurlChannelError.InvalidLnurl(let problem, _) {
            #expect(problem == .notLnurl)
        }
    }
}

private let offer =
    "https://host.example/?tag=hostedChannelRequest&k1=00&uri="
    + "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5@host.example:9735"

/// A wallet's node that answers what it sends as the host would: with an offer of 100,000 sat, all of it the
/// host's.
private final class BothEnds: WalletNode, @unchecked Sendable {
    var report: @Sendable (_ peerId: String, _ payload: Data) -> Void = { _, _ in }

    func nodeId() -> String { "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798" }
    func readiness(peer: PeerAddress) -> NodeReadiness { NodeReadiness(channelIds: []) }
    func connect(peer: PeerAddress) -> Bool { true }
    func releasePeer(peer: PeerAddress) {}
    func refundScriptPubkey(requestId: String) -> Data { Data([0, 20] + [UInt8](repeating: 1, count: 20)) }

    func sendPeerMessage(peerId: String, messageType: UInt16, payload: Data) -> Bool {
        // max_htlc_value_in_flight_msat, htlc_minimum_msat, max_accepted_htlcs, channel_capacity_msat,
        // initial_client_balance_msat, features
        let words: [UInt64] = [100_000_000, 1_000, 100_000_000, 0]
        var terms = words.map { word in (0..<8).reversed().map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
        terms.insert([0, 30], at: 2)
        report(peerId, Data(terms.joined() + [0, 0]))
        return true
    }
}
