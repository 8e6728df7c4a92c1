package com.example.wallet

import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelEvent
import dev.lnurlchannel.ChannelKind
import dev.lnurlchannel.ChannelOffer
import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.ChannelRequest
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.ClientConfig
import dev.lnurlchannel.Lnurl
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.acceptOrPause
import dev.lnurlchannel.decodeLnurl
import dev.lnurlchannel.resumeOrPause
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/** What the user can do next, as the buttons say it. */
enum class Action(val label: String) {
    FETCH("Ask for the offer"),
    ACCEPT("Accept"),
    WAIT_ON("Wait on"),
    PAUSE("Pause"),
    DECLINE("Decline"),
    CANCEL("Cancel"),
}

/** What the one screen shows. */
data class ScreenState(val steps: List<String> = emptyList(), val actions: Set<Action> = emptySet())

/**
 * The screen without its views: it outlives the activity, as the waiting for a channel must.
 *
 * @param scope on one thread, such as the main one. What writes to the disk runs elsewhere.
 */
class ChannelScreen(private val config: ClientConfig, private val scope: CoroutineScope) {
    private val mutableState = MutableStateFlow(ScreenState())
    val state: StateFlow<ScreenState> = mutableState.asStateFlow()

    private val creating = Mutex()

    // These two are read on the library's threads too.
    @Volatile private var client: ChannelClient? = null
    @Volatile private var shown: ChannelRequest? = null

    /** Decoded, and nothing is fetched from it before the user has agreed to its host. */
    private var scanned: Lnurl? = null

    /** What waits for which request, from before the library's call begins. */
    private val calls = mutableMapOf<String, Job>()

    /** A real node starts after this, so that no channel goes unreported. */
    fun start() = work { client() }

    /** The app is back in the foreground: connections that were lost are made anew at once. */
    fun checkPeers() {
        client?.checkPeers()
    }

    /** A text that was scanned, pasted, or comes from any web page that the user looks at. */
    fun open(text: String) = work {
        val lnurl = decodeLnurl(text)
        scanned = lnurl
        // Whatever it waits for goes on.
        shown = null
        mutableState.value = ScreenState(listOf("Ask ${lnurl.host()} what it offers?"), TO_FETCH)
    }

    fun act(action: Action) = work {
        val request = shown
        when (action) {
            Action.FETCH -> scanned?.let { fetch(it) }
            Action.ACCEPT -> request?.let { follow(it) { acceptOrPause() } }
            Action.WAIT_ON -> request?.let { follow(it) { resumeOrPause() } }
            Action.PAUSE -> calls[request?.requestId()]?.cancel()
            Action.DECLINE -> {
                request?.let { withContext(Dispatchers.IO) { it.decline() } }
                leave(request, "Declined. Nobody was told.")
            }
            Action.CANCEL -> {
                request?.cancel()
                leave(request, "Cancelled.")
            }
        }
    }

    /** Made when it is first needed: a full disk is then a sentence, and the next try mends it; no crash. */
    private suspend fun client(): ChannelClient = creating.withLock {
        client ?: withContext(Dispatchers.IO) { ChannelClient(DemoNode(::onEvent, ::onPeerMessage), config) }
            .also {
                client = it
                takeUp(it.unfinishedRequests())
            }
    }

    /** What an earlier run of the app has asked for is waited for; the rest is the user's to decide. */
    private fun takeUp(unfinished: List<ChannelRequest>) {
        showNext()
        for (request in unfinished) {
            if (Action.WAIT_ON in actionsFor(request)) follow(request) { resumeOrPause() }
        }
    }

    private suspend fun fetch(lnurl: Lnurl) {
        offer(emptySet())
        try {
            val request = client().fetch(lnurl)
            if (scanned === lnurl) show(request)
        } finally {
            if (scanned === lnurl) offer(TO_FETCH)
        }
    }

    /** Its state decides what comes next: a text that is scanned again may lead to a request that waits. */
    private fun show(request: ChannelRequest) {
        scanned = null
        shown = request
        step(describe(request.offer()))
        offer(actionsFor(request))
    }

    /** A call that runs keeps the user from nothing else. */
    private fun follow(request: ChannelRequest, call: suspend ChannelRequest.() -> ChannelOutcome) = work {
        calls[request.requestId()] = currentCoroutineContext().job
        if (isShown(request)) offer(WHILE_RUNNING)
        try {
            leave(request, describe(request.call()))
        } catch (_: CancellationException) {
            step("Paused.")
        } catch (_: LnurlChannelException.Cancelled) {
            // By the user, who is told so.
        } finally {
            calls -= request.requestId()
            if (isShown(request)) offer(actionsFor(request))
        }
    }

    /** Without a request, what is scanned is left. */
    private fun leave(request: ChannelRequest?, words: String) {
        step(words)
        if (shown?.requestId() != request?.requestId()) return
        scanned = null
        shown = null
        offer(emptySet())
        showNext()
    }

    /** The oldest request whose end the user has not seen. */
    private fun showNext() {
        // What was refused in an earlier run can't be accepted in this one.
        val (refused, others) = client?.unfinishedRequests().orEmpty()
            .partition { it.state() == ChannelRequestState.REFUSED && it.requestId() !in calls }
        for (request in refused) work {
            step("${request.offer().service} has said no.")
            withContext(Dispatchers.IO) { request.decline() }
        }
        if (scanned == null && shown == null) others.firstOrNull()?.let(::show)
    }

    private fun isShown(request: ChannelRequest) = shown?.requestId() == request.requestId()

    /** To accept a request again that was asked for asks again, so it is not what is offered then. */
    private fun actionsFor(request: ChannelRequest): Set<Action> {
        if (request.requestId() in calls) return WHILE_RUNNING
        return when (request.state()) {
            ChannelRequestState.OFFERED, ChannelRequestState.CONNECTING, ChannelRequestState.REFUSED ->
                setOf(Action.ACCEPT, Action.DECLINE)
            ChannelRequestState.REQUESTING, ChannelRequestState.AWAITING, ChannelRequestState.OUTCOME_UNKNOWN ->
                setOf(Action.WAIT_ON, Action.CANCEL)
            ChannelRequestState.ARRIVED -> setOf(Action.WAIT_ON)
            ChannelRequestState.DECLINED, ChannelRequestState.CANCELLED -> emptySet()
        }
    }

    private fun offer(actions: Set<Action>) = mutableState.update { it.copy(actions = actions) }

    private fun work(block: suspend () -> Unit) {
        scope.launch {
            try {
                block()
            } catch (problem: LnurlChannelException) {
                step(problem.describe())
            }
        }
    }

    private fun describe(outcome: ChannelOutcome) = when (outcome) {
        is ChannelOutcome.Opening -> "The peer opens a channel: ${outcome.channel.channelId}"
        is ChannelOutcome.HostedOffered -> "The host offers ${outcome.terms.capacityMsat / 1000u} sat."
        is ChannelOutcome.HostedExists -> "The host already holds a channel of this wallet."
    }

    private fun describe(offer: ChannelOffer): String {
        val kind = when (offer.kind) {
            ChannelKind.FUNDED -> "a channel"
            ChannelKind.HOSTED -> "a hosted channel"
        }
        return "${offer.service} offers $kind with ${offer.alias ?: offer.peer.nodeId}."
    }

    private fun onEvent(requestId: String, event: ChannelEvent) {
        if (requestId != shown?.requestId()) return
        step(
            when (event) {
                is ChannelEvent.Connecting -> "Connecting to ${event.peer.host} …"
                is ChannelEvent.Requesting -> "Connected. Asking for the channel …"
                is ChannelEvent.AwaitingChannel -> "Asked. Waiting for the channel …"
                is ChannelEvent.Reconnecting -> "Connecting again, attempt ${event.attempt} …"
                is ChannelEvent.Arrived -> "It arrived."
            },
        )
    }

    private fun onPeerMessage(peerId: String, messageType: UShort, payload: ByteArray) {
        client?.reportPeerMessage(peerId, messageType, payload)
    }

    /** Called on background threads too. */
    private fun step(text: String) = mutableState.update { it.copy(steps = it.steps + text) }

    private companion object {
        val TO_FETCH = setOf(Action.FETCH, Action.DECLINE)
        val WHILE_RUNNING = setOf(Action.PAUSE, Action.CANCEL)
    }
}
