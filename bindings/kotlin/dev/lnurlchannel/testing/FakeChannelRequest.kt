package dev.lnurlchannel.testing

import dev.lnurlchannel.ChannelEvent
import dev.lnurlchannel.ChannelOffer
import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.ChannelRequest
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.ChannelRequestState.ARRIVED
import dev.lnurlchannel.ChannelRequestState.AWAITING
import dev.lnurlchannel.ChannelRequestState.CANCELLED
import dev.lnurlchannel.ChannelRequestState.CONNECTING
import dev.lnurlchannel.ChannelRequestState.DECLINED
import dev.lnurlchannel.ChannelRequestState.OFFERED
import dev.lnurlchannel.ChannelRequestState.OUTCOME_UNKNOWN
import dev.lnurlchannel.ChannelRequestState.REFUSED
import dev.lnurlchannel.ChannelRequestState.REQUESTING
import dev.lnurlchannel.ChannelVisibility
import dev.lnurlchannel.IncomingChannel
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.NoHandle
import dev.lnurlchannel.WalletNode
import java.util.UUID
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.asContextElement
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.launch

/**
 * A [ChannelRequest] for a wallet's own tests. Needs no native library.
 *
 * It keeps the real one's table of states, and a test does what service and peer would do:
 * [asking], [agree], [loseAnswer], [reconnecting], [arrive], [fail]. They can be called from the
 * test at any time, or from [script], which runs in each [accept]:
 * ```
 * FakeChannelRequest { asking(); delay(1.seconds); agree(); arrive(fakeOpening()) }
 * ```
 * A call whose script has ended goes on waiting, without a time limit. A script ends with its call.
 *
 * @param node is told of the events, as the real one is, but in place: on the thread of whoever makes
 * the step. It should be a plain node, since one that waits for that very thread waits for ever.
 * @param state where the request stands at first; past [OFFERED], it is from an earlier run.
 */
class FakeChannelRequest(
    private val offer: ChannelOffer = fakeOffer(),
    private val requestId: String = UUID.randomUUID().toString(),
    private val createdAtSeconds: ULong = 0uL,
    private val node: WalletNode? = null,
    state: ChannelRequestState = OFFERED,
    outcome: ChannelOutcome? = null,
    private val script: suspend FakeChannelRequest.() -> Unit = { asking(); agree() },
) : ChannelRequest(NoHandle) {
    private class Call(val before: ChannelRequestState) {
        /** The script is its child. */
        val result = CompletableDeferred<ChannelOutcome>()
        var waiters = 1

        fun end(end: Result<ChannelOutcome>) {
            end.fold(result::complete, result::completeExceptionally)
            result.cancelChildren()
        }
    }

    /** The call whose script runs on this thread. */
    private val callOfScript = ThreadLocal<Call?>()

    private var state = state
    private var outcome = outcome
    private var call: Call? = null
    private var accepted = state != OFFERED
    private var asked = state !in setOf(OFFERED, CONNECTING, DECLINED)
    private var askedSinceStart = false
    private var agreed = state == AWAITING
    private var returned = state == DECLINED || state == CANCELLED
    private var shutDown = false

    /** What was asked for, by each [accept] that began. */
    val accepts: List<ChannelVisibility> get() = synchronized(this) { visibilities.toList() }
    private val visibilities = mutableListOf<ChannelVisibility>()

    override fun requestId(): String = requestId

    override fun offer(): ChannelOffer = offer

    override fun createdAtSeconds(): ULong = createdAtSeconds

    override fun state(): ChannelRequestState = synchronized(this) { state }

    override fun isRunning(): Boolean = synchronized(this) { call != null }

    override fun outcome(): ChannelOutcome? = synchronized(this) { outcome }

    override fun toString(): String = "FakeChannelRequest($requestId, ${state()})"

    /** Whether the request was accepted and no call has returned its end. */
    val isUnfinished: Boolean
        get() = synchronized(this) { accepted && !(state in ENDED && returned) }

    /** Whether the service was, or may have been, asked at some time. */
    val wasAsked: Boolean get() = synchronized(this) { asked }

    internal val isAwaiting: Boolean get() = synchronized(this) { asked && state.awaits }

    /** A host answers on the connection that it was asked on, so not after a restart. */
    internal val awaitsMessage: Boolean
        get() = synchronized(this) { state.awaits && (call != null || askedSinceStart) }

    // What the wallet does.

    override suspend fun accept(visibility: ChannelVisibility): ChannelOutcome {
        val call = beginAccept(visibility)
        play(call) {
            emit(ChannelEvent.Connecting(offer.peer))
            script()
        }
        return await(call)
    }

    override suspend fun resume(): ChannelOutcome {
        val call = synchronized(this) {
            alive()
            outcome.takeIf { state == ARRIVED }?.let {
                returned = true
                return it
            }
            call?.also { it.waiters++ } ?: beginResume()
        }
        return await(call)
    }

    override fun pause(): Boolean = synchronized(this) {
        if (call == null) return false
        loseRunningAnswer()
        end(Result.failure(LnurlChannelException.Cancelled()))
        true
    }

    override fun decline(): Unit = synchronized(this) {
        alive()
        if (call != null || state in setOf(ARRIVED, DECLINED, CANCELLED)) throw wrongState()
        finish(DECLINED, returned = true)
    }

    override suspend fun cancel(): Unit = synchronized(this) {
        alive()
        when (state) {
            OFFERED -> decline()
            CANCELLED -> Unit
            ARRIVED, DECLINED -> throw wrongState()
            else -> {
                finish(CANCELLED, returned = true)
                end(Result.failure(LnurlChannelException.Cancelled()))
            }
        }
    }

    // What service, peer and host do.

    /** The node is connected, and the service, or the host, is being asked. */
    fun asking() {
        synchronized(this) {
            running()
            state = REQUESTING
            asked = true
            askedSinceStart = true
            agreed = false
            returned = false
        }
        emit(ChannelEvent.Requesting(offer.peer))
    }

    /** The service says OK, or the host's connection took the message. */
    fun agree() {
        synchronized(this) {
            running()
            state = AWAITING
            agreed = true
        }
        emit(ChannelEvent.AwaitingChannel(offer.peer))
    }

    /** The service's answer is lost, and the call waits on. */
    fun loseAnswer() {
        synchronized(this) { running(); loseRunningAnswer() }
        emit(ChannelEvent.AwaitingChannel(offer.peer))
    }

    /** Connecting again to the peer has failed, and is tried once more. */
    fun reconnecting(attempt: UInt = 1u) {
        synchronized(this) { endWithCall() }
        emit(ChannelEvent.Reconnecting(offer.peer, attempt))
    }

    /** The channel arrives, whether or not a call runs. */
    fun arrive(outcome: ChannelOutcome) {
        val tell = synchronized(this) {
            endWithCall()
            check(mayArrive) { "nothing can arrive in $state" }
            arrival(outcome)
        }
        tell()
    }

    /** The running call fails with [error], and the request is what it is after such a failure. */
    fun fail(error: LnurlChannelException): Unit = synchronized(this) {
        val call = running()
        when (error) {
            is LnurlChannelException.Refused -> finish(REFUSED, returned = false)
            is LnurlChannelException.NoChannel, is LnurlChannelException.Cancelled -> loseRunningAnswer()
            is LnurlChannelException.OutcomeUnknown -> state = OUTCOME_UNKNOWN
            is LnurlChannelException.InvalidResponse ->
                if (state.awaits) state = OUTCOME_UNKNOWN else takeBack(call)
            else -> takeBack(call)
        }
        end(Result.failure(error))
    }

    /** The channel that had arrived fails before it is ready. */
    fun failChannel(): Unit = synchronized(this) {
        if (outcome !is ChannelOutcome.Opening) return
        outcome = null
        returned = false
        state = if (agreed) AWAITING else OUTCOME_UNKNOWN
    }

    // What the client makes of a report: a step, and what there is to tell of it.

    internal fun bring(outcome: ChannelOutcome): () -> Unit =
        synchronized(this) { if (mayArrive) arrival(outcome) else NOTHING }

    /** In the place of the channel that arrived. */
    internal fun replace(channel: IncomingChannel): Unit = synchronized(this) {
        if (state == ARRIVED) outcome = ChannelOutcome.Opening(channel)
    }

    private val mayArrive get() = asked && (state.awaits || state == REFUSED)

    private fun arrival(outcome: ChannelOutcome): () -> Unit {
        this.outcome = outcome
        finish(ARRIVED, returned = false)
        val ended = call
        call = null
        return {
            emit(ChannelEvent.Arrived(outcome))
            ended?.end(Result.success(outcome))
        }
    }

    // How a call begins and ends.

    private fun beginAccept(visibility: ChannelVisibility): Call = synchronized(this) {
        alive()
        if (call != null || state in setOf(ARRIVED, DECLINED, CANCELLED)) throw wrongState()
        visibilities += visibility
        val call = Call(before = state)
        this.call = call
        accepted = true
        if (!asked) state = CONNECTING
        call
    }

    private fun beginResume(): Call {
        if (!state.awaits) throw wrongState()
        return Call(before = state).also { call = it }
    }

    /** Where the caller runs, but for as long as anybody waits for the call. */
    private suspend fun play(call: Call, script: suspend () -> Unit) {
        val context = currentCoroutineContext() + call.result + callOfScript.asContextElement(call)
        CoroutineScope(context).launch { script() }
    }

    private suspend fun await(call: Call): ChannelOutcome =
        try {
            call.result.await()
        } finally {
            leave(call)
        }

    /** The last that waits for a call pauses it. */
    private fun leave(left: Call) = synchronized(this) {
        left.waiters--
        if (left === call && left.waiters == 0) pause()
        if (left.result.isCompleted && state in ENDED) returned = true
    }

    private fun end(result: Result<ChannelOutcome>) {
        val ended = call ?: return
        call = null
        ended.end(result)
    }

    private fun finish(state: ChannelRequestState, returned: Boolean) {
        this.state = state
        this.returned = returned
    }

    private fun loseRunningAnswer() {
        if (state == REQUESTING) state = OUTCOME_UNKNOWN
    }

    /** Nothing was sent: the request is what it was. */
    private fun takeBack(call: Call) {
        state = if (call.before == CONNECTING) OFFERED else call.before
        asked = state != OFFERED
        accepted = asked
    }

    private fun running(): Call {
        endWithCall()
        return checkNotNull(call) { "no call runs" }
    }

    /** A script takes no step that comes after its call. */
    private fun endWithCall() {
        val own = callOfScript.get() ?: return
        if (own !== call) throw CancellationException("the call has ended")
    }

    private fun alive() {
        if (shutDown) throw LnurlChannelException.Cancelled()
    }

    private fun wrongState() = LnurlChannelException.WrongState(state)

    private fun emit(event: ChannelEvent) {
        try {
            node?.onChannelEvent(requestId, event)
        } catch (_: Throwable) {
            // What it throws is its own affair, as with the real one.
        }
    }

    internal fun shutDown() {
        pause()
        synchronized(this) { shutDown = true }
    }

    private companion object {
        val NOTHING = {}
        val ENDED = setOf(REFUSED, ARRIVED, DECLINED, CANCELLED)
        val ChannelRequestState.awaits get() = this in setOf(REQUESTING, AWAITING, OUTCOME_UNKNOWN)
    }
}
