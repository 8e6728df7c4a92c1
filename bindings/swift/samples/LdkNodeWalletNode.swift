import LDKNode
import LnurlChannel

/// How many channels of one peer LDK lets wait for their first block.
private let maxPendingChannels: UInt32 = 4

/// A wallet whose node is an ldk-node 0.7, for channels that a peer funds (LUD-02). `LdkNodeReports` is
/// the other direction, and `LdkNodeLog` has what only ldk-node's log tells.
///
/// Create all of them, and the client, before `Node.start`. What ldk-node can't do:
///
/// - Hosted channels (LUD-07): it has no custom messages. `accept` ends with `NodeFailed`, `unsupported`.
/// - Connect to an onion address.
/// - Take every channel. It turns down channels with anchors, LND's default, while it has less on chain
///   than `perChannelReserveSats`, as a new wallet does, unless the peer is one of
///   `trustedPeersNoReserve`; and announced ones, unless it has an alias and listening addresses.
///   `preflight` says so beforehand.
public final class LdkNodeWalletNode: WalletNode, @unchecked Sendable {
    /// Thread-safe, though its bindings do not say so to Swift 6.
    private let node: Node

    public init(_ node: Node) {
        self.node = node
    }

    public func nodeId() -> String { node.nodeId() }

    public func readiness(peer: PeerAddress) -> NodeReadiness {
        let config = node.config()
        let channels = channels(with: peer)
        let anchors = config.anchorChannelsConfig
        let isTrusted = anchors?.trustedPeersNoReserve.contains(peer.nodeId) ?? true
        return NodeReadiness(
            channelIds: channels.map(\.channelId),
            onchainSat: node.listBalances().spendableOnchainBalanceSats,
            anchorReserveSat: isTrusted ? 0 : anchors?.perChannelReserveSats,
            acceptsAnnounced: config.nodeAlias != nil && config.listeningAddresses?.isEmpty == false,
            acceptsUnannounced: true,
            acceptsZeroConf: config.trustedPeers0conf.contains(peer.nodeId),
            pendingChannels: UInt32(channels.filter(isPending).count),
            maxPendingChannels: maxPendingChannels,
            reachesOnion: false,
            hasCustomMessages: false)
    }

    /// Returns after `init`.
    public func connect(peer: PeerAddress) throws -> Bool {
        try node.connect(nodeId: peer.nodeId, address: peer.socketAddress, persist: false)
        return true
    }

    /// `disconnect` also forgets a peer that the node is to remember.
    public func releasePeer(peer: PeerAddress) throws {
        let isRemembered = node.listPeers().contains { $0.nodeId == peer.nodeId && $0.isPersisted }
        guard !isRemembered, channels(with: peer).isEmpty else { return }
        try node.disconnect(nodeId: peer.nodeId)
    }

    /// As LDK counts them: it waits for no block, or for the first of them.
    private func isPending(_ channel: ChannelDetails) -> Bool {
        !channel.isOutbound && channel.confirmationsRequired != 0 && (channel.confirmations ?? 0) == 0
    }

    private func channels(with peer: PeerAddress) -> [ChannelDetails] {
        node.listChannels().filter { $0.counterpartyNodeId == peer.nodeId }
    }
}
