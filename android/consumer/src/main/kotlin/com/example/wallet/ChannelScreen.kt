package com.example.wallet

import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelEvent
import dev.lnurlchannel.ChannelKind
import dev.lnurlchannel.ChannelOffer
import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.ChannelRequest
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.ClientConfig
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.decodeLnurl
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch

/** What the one screen shows. */
data class ScreenState(
    val offer: ChannelOffer? = null,
    val steps: List<String> = emptyList(),
    val isBusy: Boolean = false,
)

/** The screen without its views: it outlives the activity, as the waiting for a channel must. */
class ChannelScreen(config: ClientConfig, private val scope: CoroutineScope) {
    private val mutableState = MutableStateFlow(ScreenState())
    val state: StateFlow<ScreenState> = mutableState.asStateFlow()

    private val client = ChannelClient(DemoNode(::onEvent, ::onPeerMessage), config)
    private var request: ChannelRequest? = null

    /** Go on with what an earlier run of the app left unfinished. */
    fun resumeUnfinished() {
        val waiting = setOf(
            ChannelRequestState.AWAITING,
            ChannelRequestState.OUTCOME_UNKNOWN,
            ChannelRequestState.ARRIVED,
        )
        for (unfinished in client.unfinishedRequests()) {
            if (unfinished.state() in waiting) work { show(unfinished.resume()) }
        }
    }

    fun open(scannedText: String) = work {
        mutableState.value = ScreenState(isBusy = true)
        val fetched = client.fetch(decodeLnurl(scannedText))
        request = fetched
        mutableState.update { it.copy(offer = fetched.offer()) }
        step(describe(fetched.offer()))
    }

    fun accept() = work {
        request?.let { show(it.accept()) }
    }

    fun decline() = work {
        request?.decline()
        request = null
        mutableState.value = ScreenState(steps = listOf("Declined. Nobody was told."))
    }

    private fun work(block: suspend () -> Unit) {
        scope.launch {
            mutableState.update { it.copy(isBusy = true) }
            try {
                block()
            } catch (problem: LnurlChannelException) {
                step(problem.describe())
            } finally {
                mutableState.update { it.copy(isBusy = false) }
            }
        }
    }

    private fun show(outcome: ChannelOutcome) {
        mutableState.update { it.copy(offer = null) }
        step(
            when (outcome) {
                is ChannelOutcome.Opening -> "The peer opens a channel: ${outcome.channel.channelId}"
                is ChannelOutcome.HostedOffered -> "The host offers ${outcome.terms.capacityMsat / 1000u} sat."
                is ChannelOutcome.HostedExists -> "The host already holds a channel of this wallet."
            },
        )
    }

    private fun onEvent(requestId: String, event: ChannelEvent) = step(
        when (event) {
            is ChannelEvent.Connecting -> "Connecting to ${event.peer.host} …"
            is ChannelEvent.Requesting -> "Connected. Asking for the channel …"
            is ChannelEvent.AwaitingChannel -> "Asked. Waiting for the channel …"
            is ChannelEvent.Reconnecting -> "Connecting again, attempt ${event.attempt} …"
            is ChannelEvent.Arrived -> "It arrived."
        },
    )

    private fun onPeerMessage(peerId: String, messageType: UShort, payload: ByteArray) {
        client.reportPeerMessage(peerId, messageType, payload)
    }

    private fun describe(offer: ChannelOffer): String {
        val kind = when (offer.kind) {
            ChannelKind.FUNDED -> "a channel"
            ChannelKind.HOSTED -> "a hosted channel"
        }
        return "${offer.service} offers $kind with ${offer.alias ?: offer.peer.nodeId}."
    }

    /** Called on background threads too. */
    private fun step(text: String) = mutableState.update { it.copy(steps = it.steps + text) }
}
