package com.example.wallet

import dev.lnurlchannel.*
import kotlinx.coroutines.CoroutineScope

/** The node starts once the client is there, so that no channel goes unreported. */
fun startChannels(scope: CoroutineScope, ldk: Ldk, config: ClientConfig): ChannelViewModel {
    val model = ChannelViewModel(scope) { requests ->
        ChannelClient(ChannelNode(ldk), requests, config).also {
            requests.follow(it)
            ldk.start(ChannelReports(ldk, it)::report)
        }
    }
    model.start()
    return model
}

class ChannelNode(private val ldk: Ldk) : BaseWalletNode() {
    override fun nodeId() = ldk.id
    override fun readiness(peer: PeerAddress) = NodeReadiness(ldk.channelIds(peer.nodeId))
    override fun connect(peer: PeerAddress) = ldk.connect(peer.nodeId, peer.socketAddress)
    override fun releasePeer(peer: PeerAddress) = ldk.disconnectUnlessNeeded(peer.nodeId)
}

class ChannelReports(private val ldk: Ldk, private val client: ChannelClient) {
    fun report(event: NodeEvent) = when (event) {
        is NodeEvent.OpenChannelRequest -> proposed(event)
        is NodeEvent.ChannelPending -> funded(
            IncomingChannel(event.peerId, ChannelStage.FUNDED, event.channelId, event.temporaryId))
        is NodeEvent.ChannelReady -> funded(IncomingChannel(event.peerId, ChannelStage.READY, event.channelId))
        is NodeEvent.ChannelClosed -> client.reportChannelClosed(event.peerId, event.channelId, event.reason)
        is NodeEvent.PeerConnection -> client.reportPeerConnection(event.peerId, event.isConnected)
    }

    private fun proposed(event: NodeEvent.OpenChannelRequest) {
        val channel = IncomingChannel(
            event.peerId, ChannelStage.PROPOSED, event.temporaryId, isAnnounced = event.isAnnounced)
        ldk.answer(event, isAccepted = client.reportIncomingChannel(channel) is ChannelVerdict.Expected)
    }

    private fun funded(channel: IncomingChannel) {
        if (client.reportIncomingChannel(channel) is ChannelVerdict.Expected) ldk.remember(channel.peerId)
    }
}
