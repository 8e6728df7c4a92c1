package dev.lnurlchannel.testing

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
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.support.Gate
import dev.lnurlchannel.support.PlainNode
import dev.lnurlchannel.support.Scene
import dev.lnurlchannel.support.proposal
import dev.lnurlchannel.support.scene
import dev.lnurlchannel.support.timed
import dev.lnurlchannel.support.waitUntil
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.EnumSource

/** The README's table of states, in the fake and in the real request. */
class FakeTableTest {
    enum class Action { ACCEPT, RESUME, DECLINE, CANCEL, PAUSE }

    private val table = mapOf(
        OFFERED to listOf(RUNS, "WrongState", "DECLINED", "DECLINED", "false"),
        CONNECTING to listOf(RUNS, "WrongState", "DECLINED", "CANCELLED", "false"),
        REQUESTING to listOf("WrongState", RUNS, "WrongState", "CANCELLED", "true"),
        AWAITING to listOf(RUNS, RUNS, "DECLINED", "CANCELLED", "false"),
        OUTCOME_UNKNOWN to listOf(RUNS, RUNS, "DECLINED", "CANCELLED", "false"),
        REFUSED to listOf(RUNS, "WrongState", "DECLINED", "CANCELLED", "false"),
        ARRIVED to listOf("WrongState", "ARRIVED", "WrongState", "WrongState", "false"),
        DECLINED to listOf("WrongState", "WrongState", "WrongState", "WrongState", "false"),
        CANCELLED to listOf("WrongState", "WrongState", "WrongState", "CANCELLED", "false"),
    )

    @ParameterizedTest
    @EnumSource
    fun `the fake keeps the table`(state: ChannelRequestState) = timed {
        for (action in Action.entries) {
            val request = FakeChannelRequest {
                if (state != CONNECTING) asking()
                if (state == REFUSED) fail(LnurlChannelException.Refused("no"))
            }
            reach(state, request)
            assertEquals(state, request.state())
            val expected = table.getValue(state)[action.ordinal]
            assertEquals(expected, doing(action, request, expected), "$action in $state")
            request.pause()
        }
    }

    @ParameterizedTest
    @EnumSource
    fun `the real one keeps the same`(state: ChannelRequestState) {
        for (action in Action.entries) {
            val gate = Gate()
            if (state != CONNECTING) gate.open()
            val node = PlainNode(onConnect = { gate.pass(); true })
            scene(node) {
                val request = real(state, gate)
                assertEquals(state, request.state())
                val expected = table.getValue(state)[action.ordinal]
                assertEquals(expected, scope.doing(action, request, expected), "$action in $state")
                gate.open()
                request.pause()
            }
        }
    }

    private suspend fun CoroutineScope.reach(state: ChannelRequestState, request: FakeChannelRequest) {
        when (state) {
            OFFERED -> Unit
            DECLINED -> request.decline()
            REFUSED -> runCatching { request.accept() }
            else -> {
                launch { runCatching { request.accept() } }
                val begun = if (state == CONNECTING) CONNECTING else REQUESTING
                waitUntil("it has begun") { request.state() == begun }
                when (state) {
                    AWAITING -> request.agree()
                    ARRIVED -> request.arrive(fakeOpening())
                    CANCELLED -> request.cancel()
                    else -> Unit
                }
                if (state != REQUESTING) request.pause()
            }
        }
    }

    private suspend fun Scene.real(state: ChannelRequestState, gate: Gate): ChannelRequest {
        val habit = when (state) {
            REQUESTING, OUTCOME_UNKNOWN -> "SilentCallback"
            REFUSED -> "ErrorAnswer"
            else -> "OkAndNeverOpens"
        }
        val request = fetch(habit)
        when (state) {
            OFFERED -> return request
            DECLINED -> return request.also { it.decline() }
            REFUSED -> return request.also { runCatching { it.accept() } }
            else -> Unit
        }
        val call = scope.launch { runCatching { request.accept() } }
        if (state == CONNECTING) gate.awaitReached() else testbed.awaitCallbacks(1)
        when (state) {
            AWAITING -> waitUntil("it awaits") { request.state() == AWAITING }
            ARRIVED -> client.reportIncomingChannel(testbed.proposal())
            CANCELLED -> request.cancel()
            else -> Unit
        }
        if (state != REQUESTING) call.cancelAndJoin()
        return request
    }

    private suspend fun CoroutineScope.doing(action: Action, request: ChannelRequest, expected: String) = try {
        when (action) {
            Action.ACCEPT -> called(request, expected) { request.accept() }
            Action.RESUME -> called(request, expected) { request.resume() }
            Action.DECLINE -> request.decline().let { "${request.state()}" }
            Action.CANCEL -> request.cancel().let { "${request.state()}" }
            Action.PAUSE -> "${request.pause()}"
        }
    } catch (_: LnurlChannelException.WrongState) {
        "WrongState"
    }

    /** A call that is expected to run is cancelled once it does. */
    private suspend fun CoroutineScope.called(
        request: ChannelRequest,
        expected: String,
        call: suspend () -> Any,
    ): String {
        val calling = async { runCatching { call() } }
        if (expected == RUNS) {
            waitUntil("it runs or ends") { calling.isCompleted || request.isRunning() }
            if (!calling.isCompleted) return RUNS.also { calling.cancelAndJoin() }
        }
        return calling.await().fold(
            onSuccess = { "${request.state()}" },
            // The service that refused was asked again, and refused again.
            onFailure = { if (it is LnurlChannelException.Refused) RUNS else throw it },
        )
    }

    private companion object {
        /** What `asks` and `waits on` look like: the call does not end by itself. */
        const val RUNS = "runs"
    }
}
