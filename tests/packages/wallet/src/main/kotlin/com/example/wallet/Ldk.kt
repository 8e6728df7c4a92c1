package com.example.wallet

/** The wallet's own Lightning node, which was there before. */
interface Ldk {
    val id: String
    fun start(onEvent: (NodeEvent) -> Unit)
    fun channelIds(peerId: String): List<String>
    fun connect(peerId: String, address: String): Boolean
    fun disconnectUnlessNeeded(peerId: String)
    fun remember(peerId: String)
    fun answer(proposal: NodeEvent.OpenChannelRequest, isAccepted: Boolean)
}

/** What it tells of. */
sealed interface NodeEvent {
    val peerId: String

    class OpenChannelRequest(
        override val peerId: String, val temporaryId: String, val isAnnounced: Boolean,
    ) : NodeEvent
    class ChannelPending(override val peerId: String, val channelId: String, val temporaryId: String?) : NodeEvent
    class ChannelReady(override val peerId: String, val channelId: String) : NodeEvent
    class ChannelClosed(override val peerId: String, val channelId: String, val reason: String?) : NodeEvent
    class PeerConnection(override val peerId: String, val isConnected: Boolean) : NodeEvent
}
