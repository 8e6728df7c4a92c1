package com.example.wallet

import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelConcern
import dev.lnurlchannel.ChannelKind
import dev.lnurlchannel.ChannelListener
import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.ChannelRequest
import dev.lnurlchannel.ChannelRequestSnapshot
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.ChannelRequests
import dev.lnurlchannel.ChannelStep
import dev.lnurlchannel.ChannelVisibility
import dev.lnurlchannel.Lnurl
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.awaitsReady
import dev.lnurlchannel.comeBackIn
import dev.lnurlchannel.decodeLnurl
import dev.lnurlchannel.goOn
import dev.lnurlchannel.goOnInBackground
import dev.lnurlchannel.pauseAll
import kotlin.time.Duration
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.SharingStarted
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.stateIn
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/**
 * The screen without its views: it outlives the activity, as the waiting for a channel must.
 *
 * @param scope on one thread, such as the main one. What may write to the disk runs elsewhere.
 * @param makeClient makes the folder too, so that a full disk is a sentence as well.
 */
class ChannelScreen(
    private val scope: CoroutineScope,
    private val wallet: Wallet,
    private val makeClient: (Wallet, ChannelListener) -> ChannelClient,
) {
    /** What the user looks at. */
    private sealed interface Focus {
        data object Home : Focus

        class Scanned(val text: String, val lnurl: Lnurl) : Focus

        /** @param text what it was fetched from: until it is accepted, the client does not keep it. */
        class Opened(val request: ChannelRequest, val text: String?) : Focus
    }

    /** Lasts for as long as the user looks at the same. */
    private data class Shown(
        val focus: Focus = Focus.Home,
        val isFetching: Boolean = false,
        val concerns: List<ChannelConcern> = emptyList(),
        val visibility: ChannelVisibility = ChannelVisibility.UNANNOUNCED,
        val problem: LnurlChannelException? = null,
    )

    private val requests = ChannelRequests()
    private val steps = MutableStateFlow(emptyMap<String, List<ChannelStep>>())
    private val shown = MutableStateFlow(Shown())
    val state: StateFlow<ScreenState> =
        combine(requests, steps, shown, ::screen).stateIn(scope, SharingStarted.Eagerly, ScreenState())

    /** Whether a call waits for a channel: for so long, a service keeps the app alive. */
    val isWaiting: Flow<Boolean> = requests
        .map { all -> all.any { it.isRunning && it.state != ChannelRequestState.ARRIVED } }
        .distinctUntilChanged()

    private val starting = Mutex()
    private val handingOver = Mutex()

    /** What the wallet has taken: requests with their channels. A hosted channel has no id. */
    private val handedOver = mutableSetOf<Pair<String, String?>>()
    private var waits: Job? = null

    /** Read on the library's threads too. */
    @Volatile private var isInForeground = false

    @Volatile private var client: ChannelClient? = null

    fun start() = work { client() }

    /** The user sees the app: what was asked for, by earlier runs too, is waited for; the rest is the user's. */
    fun enterForeground() {
        isInForeground = true
        val last = waits
        waits = work {
            last?.cancelAndJoin()
            val client = client()
            withContext(Dispatchers.IO) { client.goOn({ isInForeground }, ::arrived) }
        }
    }

    /** Channels that have not come are waited for in the background too; until one can be used is not. */
    fun leaveForeground() {
        isInForeground = false
        // The user may be back before it runs.
        scope.launch(Dispatchers.IO) { client?.pauseAll { !isInForeground && it.awaitsReady } }
    }

    /** For the app's job, in the background: how long to leave until the next one; null if nothing waits. */
    suspend fun goOnInBackground(): Duration? {
        val client = client()
        return withContext(Dispatchers.IO) { client.goOnInBackground(onOutcome = ::arrived) }
    }

    /** How long to leave until the first job; null if nothing waits. */
    fun comeBackIn(): Duration? = client?.comeBackIn()

    /** The system is about to stop the app, unless the user sees it. */
    suspend fun pauseInBackground() = withContext(Dispatchers.IO) { client?.pauseAll { !isInForeground } ?: Unit }

    /** A text that was scanned, pasted, or comes from any web page. What is waited for goes on. */
    fun open(text: String) = userDoes { shown.value = Shown(Focus.Scanned(text, decodeLnurl(text))) }

    /** A request of the list. */
    fun open(request: ChannelRequestSnapshot) = userDoes {
        client().request(request.requestId)?.let { open(it, null) }
    }

    /** Leaves the page. What is waited for goes on. */
    fun goHome() {
        shown.value = Shown()
    }

    /** The user agrees to the host. */
    fun fetch() = userDoes {
        val scanned = shown.value.focus as? Focus.Scanned ?: return@userDoes
        shown.update { it.copy(isFetching = true) }
        try {
            val request = client().fetch(scanned.lnurl)
            if (shown.value.focus === scanned) open(request, scanned.text)
        } finally {
            if (shown.value.focus === scanned) shown.update { it.copy(isFetching = false) }
        }
    }

    /** The user would have it announced, or not. */
    fun choose(visibility: ChannelVisibility) = userDoes {
        shown.update { it.copy(visibility = visibility, concerns = emptyList()) }
        look()
    }

    fun act(action: Action) = userDoes {
        val request = (shown.value.focus as? Focus.Opened)?.request ?: return@userDoes
        val visibility = shown.value.visibility
        when (action) {
            // It asks once: called again, it waits on. The snapshots show what it returns.
            Action.ACCEPT, Action.WAIT_ON -> await(request) { request.accept(visibility) }
            // As before: a request of the list has it from its first time.
            Action.ASK_AGAIN -> await(request) { request.askAgain(request.snapshot().visibility ?: visibility) }
            Action.PAUSE -> withContext(Dispatchers.IO) { request.pause() }
            Action.CANCEL, Action.TURN_DOWN -> {
                request.cancel()
                dismiss(request)
            }
            Action.DISMISS -> dismiss(request)
        }
    }

    /** JSON for a support team, without secrets, of the request on the screen. */
    fun receipt(): String? = (shown.value.focus as? Focus.Opened)?.request?.receipt()

    /**
     * What the activity saves, so that it is on the screen again after the process was killed: the code that
     * waits for the user's consent, or the request. All else the library keeps.
     */
    data class Saved(val text: String?, val requestId: String?)

    val saved: Saved
        get() = when (val focus = shown.value.focus) {
            is Focus.Home -> Saved(null, null)
            is Focus.Scanned -> Saved(focus.text, null)
            is Focus.Opened -> Saved(focus.text, focus.request.requestId())
        }

    /** Does nothing in a process that lives on: the screen is as it was. */
    fun restore(saved: Saved) = work {
        if (shown.value.focus != Focus.Home) return@work
        val request = saved.requestId?.let { client().request(it) }
        // The user may have opened a link by now.
        if (shown.value.focus != Focus.Home) return@work
        // An offer that was not accepted is gone with the process: the user agrees to its host anew.
        if (request != null) open(request, saved.text) else saved.text?.let { open(it) }
    }

    private fun open(request: ChannelRequest, text: String?) {
        shown.value = Shown(Focus.Opened(request, text))
        work { look() }
    }

    /** Asks the node, before the user accepts, what would stand in the way. */
    private suspend fun look() {
        val focus = shown.value.focus as? Focus.Opened ?: return
        val visibility = shown.value.visibility
        if (focus.request.snapshot().state != ChannelRequestState.OFFERED) return
        val concerns = focus.request.preflight(visibility)
        shown.update { if (it.focus === focus && it.visibility == visibility) it.copy(concerns = concerns) else it }
    }

    private suspend fun await(request: ChannelRequest, call: suspend () -> ChannelOutcome) {
        arrived(request, call())
        if (isInForeground && request.snapshot().awaitsReady) request.awaitReady()
    }

    private suspend fun dismiss(request: ChannelRequest) {
        // Its message may have come while no call ran, and `goOn` does not tell of it any more.
        val isHostedArrival = request.snapshot().run {
            state == ChannelRequestState.ARRIVED && offer.kind == ChannelKind.HOSTED
        }
        if (isHostedArrival) arrived(request, request.accept())
        request.dismiss()
        shown.update { if ((it.focus as? Focus.Opened)?.request == request) Shown() else it }
    }

    /** Made when it is first needed: a full disk is then a sentence, and the next try mends it; no crash. */
    private suspend fun client(): ChannelClient = starting.withLock {
        client ?: withContext(Dispatchers.IO + NonCancellable) {
            startClient().also {
                client = it
                requests.follow(it)
            }
        }
    }

    private suspend fun startClient(): ChannelClient {
        val client = makeClient(wallet, listener)
        try {
            // Only now, so that no channel goes unreported.
            wallet.start(client)
        } catch (problem: Throwable) {
            // The next try makes another client, on the same folder.
            client.shutdown()
            throw problem
        }
        return client
    }

    /** Once for each channel, however many calls wait for it. It counts as told when the wallet has taken it. */
    private suspend fun arrived(request: ChannelRequest, outcome: ChannelOutcome) = handingOver.withLock {
        val channel = request.requestId() to (outcome as? ChannelOutcome.Funded)?.channel?.channelId
        if (channel !in handedOver) withContext(Dispatchers.IO + NonCancellable) {
            wallet.arrived(outcome)
            handedOver += channel
        }
    }

    /** Remembers the steps, which snapshots do not have. */
    private val listener = object : ChannelListener {
        override fun onRequestChanged(request: ChannelRequestSnapshot, step: ChannelStep) {
            if (step != ChannelStep.CHANGED) steps.update { it.with(request.requestId, step) }
            requests.onRequestChanged(request, step)
        }
    }

    private fun userDoes(block: suspend () -> Unit): Job {
        shown.update { it.copy(problem = null) }
        return work(block)
    }

    /** The page that it began on shows why it failed. */
    private fun work(block: suspend () -> Unit): Job = scope.launch {
        val focus = shown.value.focus
        try {
            block()
        } catch (_: LnurlChannelException.Cancelled) {
            // By the user, who sees it.
        } catch (problem: LnurlChannelException) {
            shown.update { if (it.focus === focus) it.copy(problem = problem) else it }
        }
    }

    private companion object {
        fun Map<String, List<ChannelStep>>.with(requestId: String, step: ChannelStep): Map<String, List<ChannelStep>> {
            val before = get(requestId).orEmpty()
            return if (before.lastOrNull() == step) this else plus(requestId to before + step)
        }

        fun screen(
            requests: List<ChannelRequestSnapshot>,
            steps: Map<String, List<ChannelStep>>,
            shown: Shown,
        ): ScreenState {
            val page = when (val focus = shown.focus) {
                is Focus.Home -> requests.partition { !it.isDismissed }.let { Page.Home(it.first, it.second) }
                is Focus.Scanned -> Page.Consent(focus.lnurl.authority(), focus.lnurl.isOnion(), shown.isFetching)
                is Focus.Opened -> {
                    val request = focus.request.snapshot()
                    val before = shown.concerns.takeIf { request.state == ChannelRequestState.OFFERED }.orEmpty()
                    val concerns = (before + request.concerns).distinct()
                    Page.Request(request, steps[request.requestId].orEmpty(), concerns, shown.visibility)
                }
            }
            return ScreenState(page, shown.problem)
        }
    }
}
