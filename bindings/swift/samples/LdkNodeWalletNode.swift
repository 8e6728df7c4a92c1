import Foundation
import LDKNode
import LnurlChannel

/// A wallet whose node is an ldk-node 0.7, for channels that a peer funds (LUD-02).
///
/// Create it, and the client, before `Node.start`. What ldk-node can't do:
///
/// - Hosted channels (LUD-07): it has no custom messages. Where the offer's kind is `.hosted`, tell
///   the user so; `accept` would end with `NodeFailed`.
/// - Follow a verdict: it decides by itself, and shows a channel once it is pending. One that should
///   not be there can only be closed.
/// - Tell of a channel that it turned down. The user sees `Refused` with the service's words, or
///   `NoChannel`. It turns down channels with anchors, LND's default, while it has less on chain than
///   `perChannelReserveSats`, as a new wallet does, unless the peer is one of
///   `trustedPeersNoReserve`; and announced ones, unless it has an alias and listening addresses.
/// - Tell of a closed channel whether it was ever ready; the `reason` of a forced close does not
///   either. One that was, and whose `channelClosed` is handled only after a restart, is reported as
///   failed.
/// - Connect to an onion address.
public final class LdkNodeWalletNode: WalletNode, @unchecked Sendable {
    private let node: Node
    private let lock = NSLock()
    /// Channels whose closing is no failed opening.
    private var ready: Set<String>

    public init(node: Node) {
        self.node = node
        ready = Set(node.listChannels().filter(\.isChannelReady).map(\.channelId))
    }

    public func nodeId() -> String { node.nodeId() }

    /// Returns after `init`. The node keeps the peer and connects to it after a restart, as the
    /// channel needs.
    public func connect(peer: PeerAddress) throws -> Bool {
        try node.connect(nodeId: peer.nodeId, address: peer.socketAddress(), persist: true)
        return true
    }

    public func sendPeerMessage(peerId: String, messageType: UInt16, payload: Data) throws -> Bool {
        throw WalletNodeError.Unsupported(reason: "ldk-node has no hosted channels")
    }

    public func refundScriptPubkey(requestId: String) throws -> Data {
        throw WalletNodeError.Unsupported(reason: "ldk-node has no hosted channels")
    }

    public func onChannelEvent(requestId: String, event: ChannelEvent) {}

    /// For each event, before `Node.eventHandled`: one that is shown again does no harm.
    @discardableResult
    public func report(to client: any ChannelClientProtocol, _ event: Event) -> ChannelVerdict? {
        switch event {
        case .channelPending(let id, _, let formerId, _, _):
            return reportPending(to: client, id, formerId)
        case .channelReady(let id, _, _, _):
            _ = lock.withLock { ready.insert(id) }
        case .channelClosed(let id, _, let peerId, _):
            let wasReady = lock.withLock { ready.contains(id) }
            if !wasReady, let peerId { client.reportChannelFailed(peerId: peerId, channelId: id) }
        default: break
        }
        return nil
    }

    /// The event does not tell the amount, nor who opens.
    private func reportPending(
        to client: any ChannelClientProtocol, _ id: String, _ formerId: String
    ) -> ChannelVerdict? {
        let channels = node.listChannels().filter { $0.channelId == id && !$0.isOutbound }
        guard let channel = channels.first else { return nil }
        return client.reportIncomingChannel(
            channel: IncomingChannel(
                peerId: channel.counterpartyNodeId, channelId: id, stage: .funded,
                formerChannelId: formerId, capacitySat: channel.channelValueSats,
                isAnnounced: channel.isAnnounced))
    }
}
