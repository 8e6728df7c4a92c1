import Foundation
import LDKNode
import LnurlChannel

/// BOLT-7: a channel is announced after so many blocks. LDK's own figure may be smaller.
private let announcedAfter: UInt32 = 6
/// How long a channel may have all its blocks before its peer is connected anew.
private let stuckAfter: TimeInterval = 10

/// Reports what an ldk-node 0.7 shows to the client.
///
/// The limits: ldk-node decides by itself about a channel, and shows it once it is pending, so a verdict
/// can turn none down. Ask the user before closing one that should not be there. It tells its log only of
/// a channel that it turned down: see `LdkNodeLog`.
public final class LdkNodeReports: @unchecked Sendable {
    private let node: Node
    private let client: any ChannelClientProtocol
    private let lock = NSLock()
    private var connected: Set<String> = []
    /// The channels that the node has shown, of earlier runs too.
    private var shown: Set<String>
    /// Since when channels have all their blocks, by the time since the phone started.
    private var confirmed: [String: TimeInterval] = [:]

    public init(_ node: Node, to client: any ChannelClientProtocol) {
        (self.node, self.client) = (node, client)
        shown = Set(node.listChannels().map(\.channelId))
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
            // One that failed before it was pending is known to nobody by its id.
            let wasShown = lock.withLock { shown.contains(id) }
            client.reportChannelClosed(
                peerId: peerId, channelId: wasShown ? id : nil, reason: reason.map { "\($0)" })
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

    /// Every few seconds: how far the channels are that can't be used yet.
    public func reportConfirmations() {
        // The event comes first: it alone tells the former id.
        let shown = lock.withLock { self.shown }
        for channel in node.listChannels()
        where shown.contains(channel.channelId) && !channel.isOutbound && !channel.isChannelReady {
            report(channel, .funded)
            mend(channel)
        }
    }

    /// An LND that was connected anew before its channel was confirmed sends `channel_ready` alone, and
    /// LDK waits for `channel_reestablish` first (lightningnetwork/lnd#4006). A new connection, which
    /// `awaitReady` makes, has both.
    private func mend(_ channel: ChannelDetails) {
        guard let required = channel.confirmationsRequired, channel.confirmations ?? 0 >= required else { return }
        let now = ProcessInfo.processInfo.systemUptime
        let isStuck = lock.withLock {
            let since = confirmed[channel.channelId]
            guard since.map({ now - $0 >= stuckAfter }) ?? true else { return false }
            confirmed[channel.channelId] = now
            return since != nil
        }
        // It forgets the peer, which is remembered again with the channel's next stage.
        if isStuck { try? node.disconnect(nodeId: channel.counterpartyNodeId) }
    }

    /// The events do not tell the amount, nor who opens.
    private func report(
        _ id: String, _ stage: ChannelStage, formerId: String? = nil
    ) -> ChannelVerdict? {
        let channels = node.listChannels().filter { $0.channelId == id && !$0.isOutbound }
        return channels.first.map { report($0, stage, formerId: formerId) }
    }

    @discardableResult
    private func report(
        _ channel: ChannelDetails, _ stage: ChannelStage, formerId: String? = nil
    ) -> ChannelVerdict {
        lock.withLock { _ = shown.insert(channel.channelId) }
        let verdict = client.reportIncomingChannel(
            channel: IncomingChannel(
                peerId: channel.counterpartyNodeId, stage: stage, channelId: channel.channelId,
                formerChannelId: formerId, capacitySat: channel.channelValueSats,
                isAnnounced: channel.isAnnounced, isZeroConf: isZeroConf(channel, stage),
                confirmations: channel.confirmations, confirmationsRequired: blocks(channel)))
        if case .expected = verdict { remember(channel.counterpartyNodeId) }
        return verdict
    }

    /// Where the node wants no block, the peer may want one all the same.
    private func isZeroConf(_ channel: ChannelDetails, _ stage: ChannelStage) -> Bool? {
        guard let required = channel.confirmationsRequired else { return nil }
        guard required == 0 else { return false }
        return stage == .ready && (channel.confirmations ?? 0) == 0 ? true : nil
    }

    /// A zero-conf channel can be used before it is announced.
    private func blocks(_ channel: ChannelDetails) -> UInt32? {
        channel.confirmationsRequired.map { $0 > 0 && channel.isAnnounced ? max($0, announcedAfter) : $0 }
    }

    /// So that the node connects to it after a restart, as the channel needs.
    private func remember(_ peerId: String) {
        let peer = node.listPeers().first { $0.nodeId == peerId && !$0.isPersisted }
        guard let peer else { return }
        // If the peer has just gone, the next stage tries again.
        try? node.connect(nodeId: peerId, address: peer.address, persist: true)
    }
}
