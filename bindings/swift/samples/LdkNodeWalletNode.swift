import LDKNode
import LnurlChannel

/// A wallet whose node is an ldk-node 0.7, for channels that a peer funds (LUD-02). `LdkNodeReports` is
/// the other direction.
///
/// Create it, and the client, before `Node.start`. What ldk-node can't do:
///
/// - Hosted channels (LUD-07): it has no custom messages. `accept` ends with `NodeFailed`, `unsupported`.
/// - Connect to an onion address.
/// - Take every channel. It turns down channels with anchors, LND's default, while it has less on chain
///   than `perChannelReserveSats`, as a new wallet does, unless the peer is one of
///   `trustedPeersNoReserve`; and announced ones, unless it has an alias and listening addresses.
public final class LdkNodeWalletNode: WalletNode, @unchecked Sendable {
    /// Thread-safe, though its bindings do not say so to Swift 6.
    private let node: Node

    public init(_ node: Node) {
        self.node = node
    }

    public func nodeId() -> String { node.nodeId() }

    public func readiness(peer: PeerAddress) -> NodeReadiness {
        NodeReadiness(channelIds: channels(with: peer).map(\.channelId))
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

    private func channels(with peer: PeerAddress) -> [ChannelDetails] {
        node.listChannels().filter { $0.counterpartyNodeId == peer.nodeId }
    }
}
