package dev.lnurlchannel.samples

import dev.lnurlchannel.ChannelClientInterface
import dev.lnurlchannel.ChannelStage
import dev.lnurlchannel.ChannelVerdict
import dev.lnurlchannel.IncomingChannel
import java.util.concurrent.ConcurrentHashMap
import org.lightningdevkit.ldknode.ChannelDetails
import org.lightningdevkit.ldknode.ClosureReason
import org.lightningdevkit.ldknode.Event
import org.lightningdevkit.ldknode.NodeException
import org.lightningdevkit.ldknode.NodeInterface

/** BOLT-7: a channel is announced after so many blocks. LDK's own figure may be smaller. */
private const val ANNOUNCED_AFTER = 6u

/** How long a channel may have all its blocks before its peer is connected anew. */
private const val STUCK_AFTER_NS = 10_000_000_000

/** Reports what an ldk-node shows to the client. */
class LdkNodeReports(private val node: NodeInterface, private val client: ChannelClientInterface) {
    private var connected = emptySet<String>()

    /** The channels that the node has shown, of earlier runs too. */
    private val shown: MutableSet<String> =
        ConcurrentHashMap.newKeySet<String>().apply { addAll(node.listChannels().map { it.channelId }) }

    /** Since when channels have all their blocks. */
    private val confirmed = ConcurrentHashMap<String, Long>()

    /** For each event, before `Node.eventHandled`: one that is shown again does no harm. */
    fun report(event: Event): ChannelVerdict? {
        when (event) {
            is Event.ChannelPending ->
                return report(event.channelId, ChannelStage.FUNDED, event.formerTemporaryChannelId)
            is Event.ChannelReady -> return report(event.channelId, ChannelStage.READY)
            is Event.ChannelClosed -> event.counterpartyNodeId?.let { peerId ->
                // One that failed before it was pending is known to nobody by its id.
                val channelId = event.channelId.takeIf { it in shown }
                client.reportChannelClosed(peerId, channelId, event.reason?.let(::words))
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

    /** Every few seconds: how far the channels are that can't be used yet. */
    fun reportConfirmations() {
        // The event comes first: it alone tells the former id.
        node.listChannels().filter { it.channelId in shown && !it.isOutbound && !it.isChannelReady }.forEach {
            report(it, ChannelStage.FUNDED)
            mend(it)
        }
    }

    /**
     * An LND that was connected anew before its channel was confirmed sends `channel_ready` alone, and LDK
     * waits for `channel_reestablish` first (lightningnetwork/lnd#4006). A new connection, which
     * `awaitReady` makes, has both.
     */
    private fun mend(channel: ChannelDetails) {
        val required = channel.confirmationsRequired ?: return
        if ((channel.confirmations ?: 0u) < required) return
        val now = System.nanoTime()
        val since = confirmed.putIfAbsent(channel.channelId, now) ?: return
        if (now - since < STUCK_AFTER_NS) return
        confirmed[channel.channelId] = now
        try {
            // It forgets the peer, which is remembered again with the channel's next stage.
            node.disconnect(channel.counterpartyNodeId)
        } catch (_: NodeException) {
            // It has just gone by itself.
        }
    }

    /** The event does not tell the amount, nor who opens. */
    private fun report(channelId: String, stage: ChannelStage, formerId: String? = null): ChannelVerdict? =
        node.listChannels().find { it.channelId == channelId && !it.isOutbound }?.let { report(it, stage, formerId) }

    private fun report(channel: ChannelDetails, stage: ChannelStage, formerId: String? = null): ChannelVerdict {
        shown += channel.channelId
        val verdict = client.reportIncomingChannel(
            IncomingChannel(
                channel.counterpartyNodeId, stage, channel.channelId, formerId,
                capacitySat = channel.channelValueSats,
                isAnnounced = channel.isAnnounced,
                isZeroConf = channel.isZeroConf(stage),
                confirmations = channel.confirmations,
                confirmationsRequired = channel.blocks,
            ),
        )
        if (verdict is ChannelVerdict.Expected) remember(channel.counterpartyNodeId)
        return verdict
    }

    /** Where the node wants no block, the peer may want one all the same. */
    private fun ChannelDetails.isZeroConf(stage: ChannelStage): Boolean? = when (confirmationsRequired) {
        null -> null
        0u -> true.takeIf { stage == ChannelStage.READY && (confirmations ?: 0u) == 0u }
        else -> false
    }

    /** A zero-conf channel can be used before it is announced. */
    private val ChannelDetails.blocks: UInt?
        get() = confirmationsRequired?.let { if (isAnnounced && it > 0u) maxOf(it, ANNOUNCED_AFTER) else it }

    /** A reason without fields prints as an address in memory. */
    private fun words(reason: ClosureReason): String? =
        reason.toString().takeIf { '(' in it } ?: reason::class.simpleName

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
