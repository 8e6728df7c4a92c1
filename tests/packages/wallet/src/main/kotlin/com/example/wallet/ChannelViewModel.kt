package com.example.wallet

import dev.lnurlchannel.*
import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.*
import kotlinx.coroutines.flow.*
import kotlinx.coroutines.sync.*

/** What the screen shows, and what its buttons do. On Android [scope] is `viewModelScope`. */
class ChannelViewModel(
    private val scope: CoroutineScope,
    private val io: CoroutineContext = Dispatchers.IO,
    private val decode: (String) -> Lnurl = ::decodeLnurl,
    private val newClient: (ChannelRequests) -> ChannelClient,
) {
    sealed interface Screen {
        data object Empty : Screen
        data class MayContact(val service: String) : Screen
        data class MayAccept(val offer: ChannelOffer, val concerns: List<String>) : Screen
        data object Waiting : Screen
        data class Arrived(val channel: IncomingChannel) : Screen
        data class Failed(val text: String) : Screen
    }

    val requests = ChannelRequests()
    val screen: StateFlow<Screen> get() = shown
    private val shown = MutableStateFlow<Screen>(Screen.Empty)
    private val sentences = Sentences()
    private var answer = CompletableDeferred<Boolean>()
    private val making = Mutex()
    private var client: ChannelClient? = null

    /** Goes on with what an earlier run asked for. */
    fun start() = attempt { client().goOn { _, outcome -> arrived(outcome) } }

    /** If it cannot be made, as on a full disk, the next call tries again. */
    private suspend fun client(): ChannelClient = making.withLock {
        client ?: withContext(io) { newClient(requests) }.also { client = it }
    }

    fun scanned(text: String) = attempt {
        val lnurl = decode(text)
        if (!agrees(Screen.MayContact(lnurl.authority()))) return@attempt
        val request = client().fetch(lnurl)
        if (request.snapshot().state == ChannelRequestState.OFFERED) {
            val concerns = request.preflight().map { sentences.of(it) }
            if (!agrees(Screen.MayAccept(request.snapshot().offer, concerns))) return@attempt request.cancel()
        }
        shown.value = Screen.Waiting
        arrived(request.accept())
        if (request.snapshot().awaitsReady) request.awaitReady()
    }

    /** The user's yes or no to the question on the screen. */
    fun answer(isYes: Boolean) = answer.complete(isYes)

    private suspend fun agrees(question: Screen): Boolean {
        answer = CompletableDeferred()
        shown.value = question
        return answer.await().also { shown.value = Screen.Empty }
    }

    private fun arrived(outcome: ChannelOutcome) {
        if (outcome is ChannelOutcome.Funded) shown.value = Screen.Arrived(outcome.channel)
    }

    private fun attempt(act: suspend () -> Unit) = scope.launch {
        try {
            act()
        } catch (_: LnurlChannelException.Cancelled) {
            shown.value = Screen.Empty
        } catch (e: LnurlChannelException) {
            shown.value = Screen.Failed(sentences.of(e))
        }
    }
}
