package dev.lnurlchannel.samples

import dev.lnurlchannel.BaseWalletNode
import dev.lnurlchannel.NodeReadiness
import dev.lnurlchannel.PeerAddress
import dev.lnurlchannel.socketAddress
import org.lightningdevkit.ldknode.NodeInterface

/**
 * A wallet whose node is an ldk-node 0.7, for channels that a peer funds (LUD-02). `LdkNodeReports.kt` has
 * the other direction.
 *
 * Create both, and the client, before `Node.start`. What ldk-node can't do:
 *
 * - Hosted channels (LUD-07): it has no custom messages. `accept` ends with `NodeFailed`.
 * - Follow a verdict: it decides by itself, and shows a channel once it is pending. Ask the user before
 *   closing one that should not be there.
 * - Tell of a channel that it turned down. The user sees `Refused` with the service's words, or
 *   `NoChannel`. It turns down channels with anchors, LND's default, while it has less on chain than
 *   `perChannelReserveSats`, as a new wallet does, unless the peer is one of `trustedPeersNoReserve`;
 *   and announced ones, unless it has an alias and listening addresses.
 * - Connect to an onion address.
 */
class LdkNodeWalletNode(private val node: NodeInterface) : BaseWalletNode() {
    override fun nodeId(): String = node.nodeId()

    override fun readiness(peer: PeerAddress): NodeReadiness = NodeReadiness(channelIds(peer))

    /** Returns after `init`. `LdkNodeReports` makes the node remember the peer once its channel is there. */
    override fun connect(peer: PeerAddress): Boolean {
        node.connect(peer.nodeId, peer.socketAddress, persist = false)
        return true
    }

    /** Not a peer that the node is to remember: `disconnect` would make it forget that one. */
    override fun releasePeer(peer: PeerAddress) {
        val isRemembered = node.listPeers().any { it.nodeId == peer.nodeId && it.isPersisted }
        if (!isRemembered && channelIds(peer).isEmpty()) node.disconnect(peer.nodeId)
    }

    private fun channelIds(peer: PeerAddress): List<String> =
        node.listChannels().filter { it.counterpartyNodeId == peer.nodeId }.map { it.channelId }
}
