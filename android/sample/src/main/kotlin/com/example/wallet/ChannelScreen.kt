package com.example.wallet

import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelRequest
import dev.lnurlchannel.ChannelRequestSnapshot
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.ChannelRequests
import dev.lnurlchannel.ClientConfig
import dev.lnurlchannel.Lnurl
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.awaitsReady
import dev.lnurlchannel.comeBackIn
import dev.lnurlchannel.decodeLnurl
import dev.lnurlchannel.describe
import dev.lnurlchannel.goOn
import dev.lnurlchannel.goOnInBackground
import dev.lnurlchannel.pauseAll
import kotlin.time.Duration
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
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

/** What the user can do next, as the buttons say it. */
enum class Action(val label: String) {
    FETCH("Ask for the offer"),
    ACCEPT("Accept"),
    WAIT_ON("Wait on"),
    ASK_AGAIN("Ask again"),
    PAUSE("Pause"),
    CANCEL("Cancel"),
    DISMISS("OK"),
}

/** What the one screen shows. */
data class ScreenState(val lines: List<String> = emptyList(), val actions: Set<Action> = emptySet())

/**
 * The screen without its views: it outlives the activity, as the waiting for a channel must.
 *
 * @param scope on one thread, such as the main one. What writes to the disk runs elsewhere.
 * @param config makes the folder too, so that a full disk is a sentence as well.
 */
class ChannelScreen(private val scope: CoroutineScope, private val config: () -> ClientConfig) {
    /** What the user looks at. */
    private data class Focus(
        /** Decoded, and nothing is fetched from it before the user has agreed to its host. */
        val scanned: Lnurl? = null,
        val isFetching: Boolean = false,
        /** As it was fetched: until it is accepted, the client does not list it. */
        val offered: ChannelRequestSnapshot? = null,
        val problem: String? = null,
    )

    private val requests = ChannelRequests()
    private val focus = MutableStateFlow(Focus())
    val state: StateFlow<ScreenState> = combine(requests, focus) { requests, focus -> screen(requests, focus) }
        .stateIn(scope, SharingStarted.Eagerly, ScreenState())

    /** Whether a call waits for a channel: for so long, a service keeps the app alive. */
    val isWaiting: Flow<Boolean> = requests
        .map { all -> all.any { it.isRunning && it.state != ChannelRequestState.ARRIVED } }
        .distinctUntilChanged()

    private val creating = Mutex()
    private var waits: Job? = null

    /** Read on the library's threads too. */
    @Volatile private var isInForeground = false

    /** Read on the library's threads too. */
    @Volatile private var client: ChannelClient? = null

    /** A real node starts after this, so that no channel goes unreported. */
    fun start() = work { client() }

    /** The user sees the app: what was asked for, by earlier runs too, is waited for; the rest is the user's. */
    fun enterForeground() {
        isInForeground = true
        val last = waits
        waits = work {
            last?.cancelAndJoin()
            client().goOn(isInForeground = { isInForeground })
        }
    }

    /** Channels that have not come are waited for in the background too; until one can be used is not. */
    fun leaveForeground() {
        isInForeground = false
        scope.launch(Dispatchers.IO) { client?.pauseAll { it.awaitsReady } }
    }

    /** For the app's job, in the background: how long to leave until the next one; null if nothing waits. */
    suspend fun goOnInBackground(): Duration? = client().goOnInBackground()

    /** How long to leave until the first job; null if nothing waits. */
    fun comeBackIn(): Duration? = client?.comeBackIn()

    /** The system is about to stop the app. */
    suspend fun pauseAll() = withContext(Dispatchers.IO) { client?.pauseAll() ?: Unit }

    /** A text that was scanned, pasted, or comes from any web page. What is waited for goes on. */
    fun open(text: String) = work { focus.value = Focus(scanned = decodeLnurl(text)) }

    fun act(action: Action) = work {
        focus.update { it.copy(problem = null) }
        val (scanned, _, offered) = focus.value
        when {
            action == Action.FETCH -> scanned?.let { fetch(it) }
            scanned != null -> focus.value = Focus()
            else -> shown(requests.value, offered)?.let { act(action, on(it)) }
        }
    }

    private suspend fun act(action: Action, request: ChannelRequest) {
        when (action) {
            // It asks once: called again, it waits on. The snapshots show what it returns.
            Action.ACCEPT, Action.WAIT_ON -> request.accept()
            Action.ASK_AGAIN -> request.askAgain()
            Action.PAUSE -> request.pause()
            Action.CANCEL -> {
                request.cancel()
                dismiss(request)
            }
            Action.DISMISS -> dismiss(request)
            Action.FETCH -> Unit
        }
    }

    /** Made when it is first needed: a full disk is then a sentence, and the next try mends it; no crash. */
    private suspend fun client(): ChannelClient = creating.withLock {
        client ?: withContext(Dispatchers.IO) { ChannelClient(DemoNode(::onPeerMessage), requests, config()) }.also {
            client = it
            requests.follow(it)
        }
    }

    private suspend fun fetch(lnurl: Lnurl) {
        focus.update { it.copy(isFetching = true) }
        try {
            val offered = client().fetch(lnurl).snapshot()
            focus.update { if (it.scanned === lnurl) Focus(offered = offered) else it }
        } finally {
            focus.update { it.copy(isFetching = false) }
        }
    }

    private suspend fun dismiss(request: ChannelRequest) {
        request.dismiss()
        focus.update { if (it.offered?.requestId == request.requestId()) it.copy(offered = null) else it }
    }

    private suspend fun on(snapshot: ChannelRequestSnapshot): ChannelRequest =
        checkNotNull(client().request(snapshot.requestId))

    private fun work(block: suspend () -> Unit): Job = scope.launch {
        try {
            block()
        } catch (_: LnurlChannelException.Cancelled) {
            // By the user, who sees it.
        } catch (problem: LnurlChannelException) {
            focus.update { it.copy(problem = problem.describe()) }
        }
    }

    private fun onPeerMessage(peerId: String, messageType: UShort, payload: ByteArray) {
        client?.reportPeerMessage(peerId, messageType, payload)
    }

    private companion object {
        fun screen(requests: List<ChannelRequestSnapshot>, focus: Focus): ScreenState {
            val screen = when {
                focus.scanned != null -> {
                    val actions = if (focus.isFetching) setOf(Action.CANCEL) else setOf(Action.FETCH, Action.CANCEL)
                    ScreenState(listOf("Ask ${focus.scanned.authority()} what it offers?"), actions)
                }
                else -> shown(requests, focus.offered)?.let { ScreenState(describe(it), actionsFor(it)) }
                    ?: ScreenState()
            }
            return screen.copy(lines = screen.lines + listOfNotNull(focus.problem))
        }

        /** The offer on the screen, or else the newest request whose end the user has not seen. */
        fun shown(requests: List<ChannelRequestSnapshot>, offered: ChannelRequestSnapshot?) =
            if (offered == null) requests.firstOrNull { !it.isDismissed }
            else requests.firstOrNull { it.requestId == offered.requestId } ?: offered

        fun actionsFor(request: ChannelRequestSnapshot): Set<Action> = when (request.state) {
            ChannelRequestState.ARRIVED, ChannelRequestState.READY,
            ChannelRequestState.REFUSED, ChannelRequestState.CANCELLED -> setOf(Action.DISMISS)
            else -> if (request.isRunning) setOf(Action.PAUSE, Action.CANCEL) else when (request.state) {
                ChannelRequestState.OFFERED -> setOf(Action.ACCEPT, Action.CANCEL)
                ChannelRequestState.AWAITING, ChannelRequestState.OUTCOME_UNKNOWN ->
                    setOf(Action.WAIT_ON, Action.ASK_AGAIN, Action.CANCEL)
                else -> setOf(Action.WAIT_ON, Action.CANCEL)
            }
        }
    }
}
