import Foundation
import LnurlChannel

/// In place of a wallet's node: both ends of a hosted channel, so that the sample shows one without a network.
/// A wallet has its own; docs/nodes.md has the common ones.
public final class DemoNode: WalletNode, @unchecked Sendable {
    /// An offer that stands in the text itself, so that no service is asked.
    public static var lnurl: String {
        let node = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
        let url = "https://host.example/?tag=hostedChannelRequest&k1=00&uri=\(node)@host.example:9735"
        return (try? encodeLnurl(url: url)) ?? url
    }

    private let lock = NSLock()
    private weak var client: (any ChannelClientProtocol)?

    public init() {}

    /// From now on it reports to this client.
    public func start(_ client: any ChannelClientProtocol) {
        lock.withLock { self.client = client }
    }

    public func nodeId() -> String { "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798" }
    public func readiness(peer: PeerAddress) -> NodeReadiness { NodeReadiness(channelIds: []) }
    public func connect(peer: PeerAddress) -> Bool { true }
    public func releasePeer(peer: PeerAddress) {}
    public func refundScriptPubkey(requestId: String) -> Data { Data([0, 20] + [UInt8](repeating: 1, count: 20)) }

    /// Answers `invoke_hosted_channel` as a host does: with `init_hosted_channel` (bLIP-17).
    public func sendPeerMessage(peerId: String, messageType: UInt16, payload: Data) -> Bool {
        let client = lock.withLock { self.client }
        return client?.reportPeerMessage(peerId: peerId, messageType: 65_533, payload: Self.terms) ?? false
    }

    /// A channel of 100,000 sat, all of it the host's.
    private static let terms: Data = {
        var terms = bytes(100_000_000)  // max_htlc_value_in_flight_msat
        terms += bytes(1_000)  // htlc_minimum_msat
        terms += [0, 30]  // max_accepted_htlcs
        terms += bytes(100_000_000)  // channel_capacity_msat
        terms += bytes(0)  // initial_client_balance_msat
        terms += [0, 0]  // no features
        return Data(terms)
    }()

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).reversed().map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
}
