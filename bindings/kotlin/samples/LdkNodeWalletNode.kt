package dev.lnurlchannel.samples

import dev.lnurlchannel.ChannelClientInterface
import dev.lnurlchannel.ChannelEvent
import dev.lnurlchannel.ChannelStage
import dev.lnurlchannel.ChannelVerdict
import dev.lnurlchannel.IncomingChannel
import dev.lnurlchannel.PeerAddress
import dev.lnurlchannel.WalletNode
import dev.lnurlchannel.WalletNodeException
import java.util.concurrent.ConcurrentHashMap
import org.lightningdevkit.ldknode.Event
import org.lightningdevkit.ldknode.NodeInterface

/**
 * A wallet whose node is an ldk-node 0.7, for channels that a peer funds (LUD-02).
 *
 * Create it, and the client, before `Node.start`. What ldk-node can't do:
 *
 * - Hosted channels (LUD-07): it has no custom messages. Where the offer's kind is `HOSTED`, tell the
 *   user so; `accept` would end with `NodeFailed`.
 * - Follow a verdict: it decides by itself, and shows a channel once it is pending. One that should not
 *   be there can only be closed.
 * - Tell of a channel that it turned down. The user sees `Refused` with the service's words, or
 *   `NoChannel`. It turns down channels with anchors, LND's default, while it has less on chain than
 *   `perChannelReserveSats`, as a new wallet does, unless the peer is one of `trustedPeersNoReserve`;
 *   and announced ones, unless it has an alias and listening addresses.
 * - Tell of a closed channel whether it was ever ready; the `reason` of a forced close does not either. One
 *   that was, and whose `ChannelClosed` is handled only after a restart, is reported as failed.
 * - Connect to an onion address.
 */
class LdkNodeWalletNode(private val node: NodeInterface) : WalletNode {
    /** Channels whose closing is no failed opening. */
    private val ready: MutableSet<String> = ConcurrentHashMap.newKeySet<String>().apply {
        node.listChannels().filter { it.isChannelReady }.mapTo(this) { it.channelId }
    }

    override fun nodeId(): String = node.nodeId()

    /** Returns after `init`. The node keeps the peer and connects to it after a restart, as the channel needs. */
    override fun connect(peer: PeerAddress): Boolean {
        node.connect(peer.nodeId, peer.socketAddress(), persist = true)
        return true
    }

    override fun sendPeerMessage(peerId: String, messageType: UShort, payload: ByteArray): Boolean =
        throw WalletNodeException.Unsupported("ldk-node has no hosted channels")

    override fun refundScriptPubkey(requestId: String): ByteArray =
        throw WalletNodeException.Unsupported("ldk-node has no hosted channels")

    override fun onChannelEvent(requestId: String, event: ChannelEvent) = Unit

    /** For each event, before `Node.eventHandled`: one that is shown again does no harm. */
    fun report(client: ChannelClientInterface, event: Event): ChannelVerdict? {
        when (event) {
            is Event.ChannelPending -> return pending(client, event)
            is Event.ChannelReady -> ready += event.channelId
            is Event.ChannelClosed -> if (event.channelId !in ready) {
                event.counterpartyNodeId?.let { client.reportChannelFailed(it, event.channelId) }
            }
            else -> Unit
        }
        return null
    }

    /** The event does not tell the amount, nor who opens. */
    private fun pending(client: ChannelClientInterface, event: Event.ChannelPending): ChannelVerdict? {
        val channel = node.listChannels().find { it.channelId == event.channelId && !it.isOutbound } ?: return null
        return client.reportIncomingChannel(
            IncomingChannel(
                channel.counterpartyNodeId, channel.channelId, ChannelStage.FUNDED,
                formerChannelId = event.formerTemporaryChannelId,
                capacitySat = channel.channelValueSats,
                isAnnounced = channel.isAnnounced,
            ),
        )
    }
}
