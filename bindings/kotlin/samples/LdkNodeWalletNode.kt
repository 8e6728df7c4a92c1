package dev.lnurlchannel.samples

import dev.lnurlchannel.BaseWalletNode
import dev.lnurlchannel.NodeReadiness
import dev.lnurlchannel.PeerAddress
import dev.lnurlchannel.socketAddress
import org.lightningdevkit.ldknode.ChannelDetails
import org.lightningdevkit.ldknode.NodeInterface

/** How many channels of one peer LDK lets wait for their first block. */
private const val MAX_PENDING_CHANNELS = 4u

/**
 * A wallet whose node is an ldk-node 0.7, for channels that a peer funds (LUD-02). `LdkNodeReports.kt` has
 * the other direction, and `LdkNodeLog.kt` what only ldk-node's log tells.
 *
 * Create all of them, and the client, before `Node.start`. What ldk-node can't do:
 *
 * - Hosted channels (LUD-07): it has no custom messages. `accept` ends with `NodeFailed`.
 * - Follow a verdict: it decides by itself, and shows a channel once it is pending. Ask the user before
 *   closing one that should not be there.
 * - Take every channel. It turns down channels with anchors, LND's default, while it has less on chain
 *   than `perChannelReserveSats`, as a new wallet does, unless the peer is one of `trustedPeersNoReserve`;
 *   and announced ones, unless it has an alias and listening addresses. `preflight` says so beforehand.
 * - Connect to an onion address.
 */
class LdkNodeWalletNode(private val node: NodeInterface) : BaseWalletNode() {
    override fun nodeId(): String = node.nodeId()

    override fun readiness(peer: PeerAddress): NodeReadiness {
        val config = node.config()
        val channels = channels(peer)
        val reserve = config.anchorChannelsConfig
            ?.takeIf { peer.nodeId !in it.trustedPeersNoReserve }?.perChannelReserveSats
        return NodeReadiness(
            channelIds = channels.map { it.channelId },
            onchainSat = node.listBalances().spendableOnchainBalanceSats,
            anchorReserveSat = reserve ?: 0u,
            acceptsAnnounced = config.nodeAlias != null && !config.listeningAddresses.isNullOrEmpty(),
            acceptsUnannounced = true,
            acceptsZeroConf = peer.nodeId in config.trustedPeers0conf,
            pendingChannels = channels.count { it.isPending }.toUInt(),
            maxPendingChannels = MAX_PENDING_CHANNELS,
            reachesOnion = false,
            hasCustomMessages = false,
        )
    }

    /** Returns after `init`. `LdkNodeReports` makes the node remember the peer once its channel is there. */
    override fun connect(peer: PeerAddress): Boolean {
        node.connect(peer.nodeId, peer.socketAddress, persist = false)
        return true
    }

    /** Not a peer that the node is to remember: `disconnect` would make it forget that one. */
    override fun releasePeer(peer: PeerAddress) {
        val isRemembered = node.listPeers().any { it.nodeId == peer.nodeId && it.isPersisted }
        if (!isRemembered && channels(peer).isEmpty()) node.disconnect(peer.nodeId)
    }

    private fun channels(peer: PeerAddress): List<ChannelDetails> =
        node.listChannels().filter { it.counterpartyNodeId == peer.nodeId }

    /** As LDK counts them: it waits for no block, or for the first of them. */
    private val ChannelDetails.isPending: Boolean
        get() = !isOutbound && confirmationsRequired != 0u && (confirmations ?: 0u) == 0u
}
