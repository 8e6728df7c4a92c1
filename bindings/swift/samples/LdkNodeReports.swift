import Foundation
import LDKNode
import LnurlChannel

/// Reports what an ldk-node 0.7 shows to the client.
///
/// The limits: ldk-node decides by itself about a channel, and shows it once it is pending, so a verdict
/// can turn none down. Ask the user before closing one that should not be there. It does not tell of a
/// channel that it turned down: the user sees `Refused` with the service's words, or `NoChannel`.
public final class LdkNodeReports: @unchecked Sendable {
    private let node: Node
    private let client: any ChannelClientProtocol
    private let lock = NSLock()
    private var connected: Set<String> = []

    public init(_ node: Node, to client: any ChannelClientProtocol) {
        (self.node, self.client) = (node, client)
    }

    /// For each event, before `Node.eventHandled`: one that is shown again does no harm.
    @discardableResult
    public func report(_ event: Event) -> ChannelVerdict? {
        switch event {
        case .channelPending(let id, _, let formerId, _, _):
            return report(id, .funded, formerId: formerId)
        case .channelReady(let id, _, _, _):
            return report(id, .ready)
        case .channelClosed(let id, _, let peerId?, let reason):
            client.reportChannelClosed(peerId: peerId, channelId: id, reason: reason.map { "\($0)" })
        default: break
        }
        return nil
    }

    /// Every few seconds: ldk-node has no event for it.
    public func reportConnections() {
        let now = Set(node.listPeers().filter(\.isConnected).map(\.nodeId))
        let before = lock.withLock {
            defer { connected = now }
            return connected
        }
        for peerId in now.symmetricDifference(before) {
            client.reportPeerConnection(peerId: peerId, isConnected: now.contains(peerId))
        }
    }

    /// The events do not tell the amount, nor who opens.
    private func report(
        _ id: String, _ stage: ChannelStage, formerId: String? = nil
    ) -> ChannelVerdict? {
        let channels = node.listChannels().filter { $0.channelId == id && !$0.isOutbound }
        guard let channel = channels.first else { return nil }
        let verdict = client.reportIncomingChannel(
            channel: IncomingChannel(
                peerId: channel.counterpartyNodeId, stage: stage, channelId: id,
                formerChannelId: formerId, capacitySat: channel.channelValueSats,
                isAnnounced: channel.isAnnounced, confirmations: channel.confirmations,
                confirmationsRequired: channel.confirmationsRequired))
        if case .expected = verdict { remember(channel.counterpartyNodeId) }
        return verdict
    }

    /// So that the node connects to it after a restart, as the channel needs.
    private func remember(_ peerId: String) {
        let peer = node.listPeers().first { $0.nodeId == peerId && !$0.isPersisted }
        guard let peer else { return }
        // If the peer has just gone, the next stage tries again.
        try? node.connect(nodeId: peerId, address: peer.address, persist: true)
    }
}
