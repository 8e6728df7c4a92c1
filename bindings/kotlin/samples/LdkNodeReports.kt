package dev.lnurlchannel.samples

import dev.lnurlchannel.ChannelClientInterface
import dev.lnurlchannel.ChannelStage
import dev.lnurlchannel.ChannelVerdict
import dev.lnurlchannel.IncomingChannel
import org.lightningdevkit.ldknode.Event
import org.lightningdevkit.ldknode.NodeException
import org.lightningdevkit.ldknode.NodeInterface

/** Reports what an ldk-node shows to the client. */
class LdkNodeReports(private val node: NodeInterface, private val client: ChannelClientInterface) {
    private var connected = emptySet<String>()

    /** For each event, before `Node.eventHandled`: one that is shown again does no harm. */
    fun report(event: Event): ChannelVerdict? {
        when (event) {
            is Event.ChannelPending ->
                return report(event.channelId, ChannelStage.FUNDED, event.formerTemporaryChannelId)
            is Event.ChannelReady -> return report(event.channelId, ChannelStage.READY)
            is Event.ChannelClosed -> event.counterpartyNodeId?.let { peerId ->
                client.reportChannelClosed(peerId, event.channelId, event.reason?.let { it::class.simpleName })
            }
            else -> Unit
        }
        return null
    }

    /** Every few seconds, as ldk-node has no event for it. */
    fun reportConnections() {
        val now = node.listPeers().filter { it.isConnected }.map { it.nodeId }.toSet()
        (now - connected).forEach { client.reportPeerConnection(it, true) }
        (connected - now).forEach { client.reportPeerConnection(it, false) }
        connected = now
    }

    /** The event does not tell the amount, nor who opens. */
    private fun report(channelId: String, stage: ChannelStage, formerId: String? = null): ChannelVerdict? {
        val channel = node.listChannels().find { it.channelId == channelId && !it.isOutbound } ?: return null
        val verdict = client.reportIncomingChannel(
            IncomingChannel(
                channel.counterpartyNodeId, stage, channelId, formerId,
                capacitySat = channel.channelValueSats,
                isAnnounced = channel.isAnnounced,
                confirmations = channel.confirmations,
                confirmationsRequired = channel.confirmationsRequired,
            ),
        )
        if (verdict is ChannelVerdict.Expected) remember(channel.counterpartyNodeId)
        return verdict
    }

    /** So that the node connects to it after a restart, as the channel needs. */
    private fun remember(peerId: String) {
        val peer = node.listPeers().find { it.nodeId == peerId && !it.isPersisted } ?: return
        try {
            node.connect(peerId, peer.address, persist = true)
        } catch (_: NodeException) {
            // It has just gone; the channel's next stage tries again.
        }
    }
}
