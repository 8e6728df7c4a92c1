package com.example.wallet

import dev.lnurlchannel.ChannelKind
import dev.lnurlchannel.ChannelOffer
import dev.lnurlchannel.ChannelRequestSnapshot
import dev.lnurlchannel.ChannelRequestState

/** What the screen says of a request. A real app takes its words from resources. */
fun describe(request: ChannelRequestSnapshot): List<String> =
    listOfNotNull(describe(request.offer), progress(request), connection(request))

private fun describe(offer: ChannelOffer): String {
    val kind = when (offer.kind) {
        ChannelKind.FUNDED -> "a channel"
        ChannelKind.HOSTED -> "a hosted channel"
    }
    return "${offer.service ?: "The code itself"} offers $kind with ${offer.alias ?: offer.peer.nodeId}."
}

private fun progress(request: ChannelRequestSnapshot): String? = when (request.state) {
    ChannelRequestState.OFFERED -> null
    ChannelRequestState.CONNECTING -> "Connecting to ${request.offer.peer.host} …"
    ChannelRequestState.REQUESTING -> "Connected. Asking for the channel …"
    ChannelRequestState.AWAITING -> "Asked. The channel is awaited."
    ChannelRequestState.OUTCOME_UNKNOWN -> "Asked, without a clear answer. The channel may come all the same."
    ChannelRequestState.OPENING -> "The peer opens a channel …"
    ChannelRequestState.ARRIVED -> arrival(request)
    ChannelRequestState.READY -> "The channel can be used."
    ChannelRequestState.REFUSED -> "It was refused: ${request.refusal ?: "no reason was given"}"
    ChannelRequestState.CANCELLED -> "Cancelled."
}

private fun arrival(request: ChannelRequestSnapshot): String = when (request.offer.kind) {
    ChannelKind.FUNDED -> "The channel is funded. It can be used once it is confirmed."
    ChannelKind.HOSTED -> request.hostedTerms?.let { "The host offers ${it.capacityMsat / 1000u} sat." }
        ?: "The host already holds a channel of this wallet."
}

private fun connection(request: ChannelRequestSnapshot): String? =
    "The peer is not connected.".takeIf { request.isRunning && !request.isPeerConnected && request.state in AWAITED }

private val AWAITED = setOf(
    ChannelRequestState.AWAITING,
    ChannelRequestState.OUTCOME_UNKNOWN,
    ChannelRequestState.OPENING,
)
