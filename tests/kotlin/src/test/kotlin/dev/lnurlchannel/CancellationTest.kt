package dev.lnurlchannel

import dev.lnurlchannel.support.Gate
import dev.lnurlchannel.support.PlainNode
import dev.lnurlchannel.support.Scene
import dev.lnurlchannel.support.awaitState
import dev.lnurlchannel.support.channel
import dev.lnurlchannel.support.scene
import dev.lnurlchannel.support.state
import dev.lnurlchannel.support.thrownBy
import dev.lnurlchannel.support.waitUntil
import java.nio.file.Path
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.measureTime
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.EnumSource

/** A cancelled coroutine ends the wait at once, and leaves a request that goes on. */
class CancellationTest {
    private val limit = 100.milliseconds

    enum class Stage(val habit: String, val state: ChannelRequestState) {
        CONNECT("OkAndNeverOpens", ChannelRequestState.OFFERED),
        CALLBACK("SilentCallback", ChannelRequestState.OUTCOME_UNKNOWN),
        WAIT("OkAndNeverOpens", ChannelRequestState.AWAITING),
    }

    private suspend fun Scene.reach(stage: Stage, request: ChannelRequest, gate: Gate) {
        if (stage == Stage.CONNECT) return gate.awaitReached()
        gate.open()
        testbed.awaitCallbacks(1)
        if (stage == Stage.WAIT) request.awaitState(ChannelRequestState.AWAITING)
    }

    @ParameterizedTest
    @EnumSource
    fun `accept ends at once, and goes on with one callback in all`(stage: Stage, @TempDir folder: Path) {
        val gate = Gate()
        val node = PlainNode(onConnect = { gate.pass(); true })
        scene(node, configure = { config().copy(storageDir = "$folder") }) {
            val request = fetch(stage.habit)
            val call = scope.launch { request.accept() }
            reach(stage, request, gate)
            assertTrue(request.snapshot().isRunning)

            val took = measureTime { call.cancelAndJoin() }

            assertTrue(took < limit, "$took")
            println("cancelled in the middle of $stage: $took")
            waitUntil("it is paused") { !request.snapshot().isRunning }
            assertEquals(stage.state, request.state)
            assertEquals(listOf(request.requestId()), listed())
            goOn(request, gate)
        }
    }

    private suspend fun Scene.goOn(request: ChannelRequest, gate: Gate) {
        gate.open()
        val call = scope.async { request.accept() }
        testbed.awaitCallbacks(1)
        waitUntil("the call runs") { request.snapshot().isRunning }
        val channel = testbed.channel()
        assertEquals(ChannelVerdict.Expected(request.requestId()), client.reportIncomingChannel(channel))
        assertEquals(ChannelOutcome.Funded(channel), call.await())
        assertEquals(1, testbed.callbacks().size, "asked once")
    }

    @Test
    fun `fetch ends at once`() = scene {
        val lnurl = decodeLnurl(testbed.offer("SilentCallback", more = mapOf("fault_step" to "offer")))
        val call = scope.launch { client.fetch(lnurl) }
        testbed.awaitCallbacks(0, fetches = 1)
        val took = measureTime { call.cancelAndJoin() }
        assertTrue(took < limit, "$took")
    }

    @Test
    fun `askAgain ends at once`() = scene {
        val request = fetch("OkAndNeverOpens")
        val call = scope.launch { request.accept() }
        request.awaitState(ChannelRequestState.AWAITING)
        call.cancelAndJoin()
        waitUntil("it is paused") { !request.snapshot().isRunning }
        val again = scope.launch { request.askAgain() }
        testbed.awaitCallbacks(2, fetches = 1)
        val took = measureTime { again.cancelAndJoin() }
        assertTrue(took < limit, "$took")
        waitUntil("it is paused") { !request.snapshot().isRunning }
    }

    @Test
    fun `a time limit of the wallet's own is a cancellation`() = scene {
        val request = fetch("OkAndNeverOpens")
        thrownBy<CancellationException> { withTimeout(50.milliseconds) { request.accept() } }
        waitUntil("it is paused") { !request.snapshot().isRunning }
    }

    @Test
    fun `a coroutine that was cancelled before does not begin`() = scene {
        val request = fetch()
        val call = scope.launch(start = CoroutineStart.UNDISPATCHED) {
            coroutineContext[Job]!!.cancel()
            thrownBy<CancellationException> { request.accept() }
        }
        call.join()
        assertEquals(ChannelRequestState.OFFERED, request.state)
        assertTrue(listed().isEmpty(), "it was not accepted")
        assertTrue(testbed.callbacks().isEmpty())
    }

    @Test
    fun `cancelled at any moment, the request goes on, and asks once`() {
        var longest = Duration.ZERO
        scene {
            repeat(ROUNDS) { round ->
                val request = fetch("OkAndNeverOpens")
                val call = scope.launch { request.accept() }
                // Somewhere between before the first step and the wait.
                repeat(round * 20) { Thread.onSpinWait() }
                longest = maxOf(longest, measureTime { call.cancelAndJoin() })
                waitUntil("it is paused") { !request.snapshot().isRunning }
                val again = scope.async { request.accept() }
                waitUntil("it waits") { request.snapshot().run { isRunning && state in ASKED } }
                val channel = testbed.channel(round)
                client.reportIncomingChannel(channel)
                assertEquals(ChannelOutcome.Funded(channel), again.await())
                assertTrue(testbed.callbacks().size <= round + 1, "asked once each")
                request.close()
            }
        }
        assertTrue(longest < limit, "$longest")
        println("cancelled at any moment: $longest at the most")
    }

    @Test
    fun `one who joined and is cancelled leaves the others waiting`() = scene {
        val request = fetch("OkAndNeverOpens")
        val first = scope.async { request.accept() }
        request.awaitState(ChannelRequestState.AWAITING)
        val joined = scope.async(start = CoroutineStart.UNDISPATCHED) { request.accept() }
        // The library takes up its calls in order: when this one has ended, that one has joined.
        fetch("OkAndNeverOpens")
        first.cancelAndJoin()
        assertTrue(request.snapshot().isRunning)
        client.reportIncomingChannel(testbed.channel())
        assertInstanceOf(ChannelOutcome.Funded::class.java, joined.await())
    }

    @Test
    fun `the last one who is cancelled pauses the request`() = scene {
        val request = fetch("OkAndNeverOpens")
        val calls = List(5) { scope.launch { request.accept() } }
        request.awaitState(ChannelRequestState.AWAITING)
        calls.forEach { it.cancelAndJoin() }
        waitUntil("it is paused") { !request.snapshot().isRunning }
        assertEquals(ChannelRequestState.AWAITING, request.state)
    }

    @Test
    fun `a request may be closed right after the cancellation`() = scene {
        val request = fetch("OkAndNeverOpens")
        val call = scope.launch { request.accept() }
        testbed.awaitCallbacks(1)
        call.cancel()
        request.close()
        call.join()
        assertFalse(call.isActive)
        waitUntil("it is paused") { client.requests().none { it.isRunning } }
    }

    @Test
    fun `an arrival that races with the cancellation is not lost`() = scene {
        repeat(ROUNDS) { round ->
            val request = fetch("OkAndNeverOpens")
            val call = scope.launch { request.accept() }
            testbed.awaitCallbacks(round + 1)
            val report = scope.launch { client.reportIncomingChannel(testbed.channel(round)) }
            repeat((round % 20) * 500) { Thread.onSpinWait() }
            call.cancelAndJoin()
            report.join()
            assertEquals(ChannelRequestState.ARRIVED, request.state)
            assertEquals(ChannelOutcome.Funded(testbed.channel(round)), request.accept())
        }
    }

    private companion object {
        const val ROUNDS = 50
        val ASKED = setOf(
            ChannelRequestState.REQUESTING,
            ChannelRequestState.AWAITING,
            ChannelRequestState.OUTCOME_UNKNOWN,
        )
    }
}
