package dev.lnurlchannel

import dev.lnurlchannel.support.Gate
import dev.lnurlchannel.support.PlainNode
import dev.lnurlchannel.support.Scene
import dev.lnurlchannel.support.await
import dev.lnurlchannel.support.proposal
import dev.lnurlchannel.support.scene
import dev.lnurlchannel.support.thrownBy
import dev.lnurlchannel.support.waitUntil
import java.nio.file.Path
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executors
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.measureTime
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.asCoroutineDispatcher
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

/** A cancelled coroutine ends the call, at once, and leaves a request that goes on. */
class CancellationTest {
    private val limit = 100.milliseconds

    enum class Stage(val habit: String, val state: ChannelRequestState) {
        CONNECT("OkAndNeverOpens", ChannelRequestState.CONNECTING),
        CALLBACK("SilentCallback", ChannelRequestState.OUTCOME_UNKNOWN),
        WAIT("OkAndNeverOpens", ChannelRequestState.AWAITING),
    }

    /** A node that tells when it awaits the channel, and connects through [gate]. */
    private class Watched {
        val gate = Gate()
        val awaiting = CountDownLatch(1)
        val node = PlainNode(
            onConnect = { gate.pass(); true },
            onEvent = { _, event -> if (event is ChannelEvent.AwaitingChannel) awaiting.countDown() },
        )
    }

    private fun Scene.reach(stage: Stage, watched: Watched) {
        if (stage == Stage.CONNECT) return watched.gate.awaitReached()
        watched.gate.open()
        testbed.awaitCallbacks(1)
        if (stage == Stage.WAIT) await(watched.awaiting)
    }

    private fun cancelAt(stage: Stage, folder: Path, accept: suspend ChannelRequest.() -> ChannelOutcome) {
        val watched = Watched()
        scene(watched.node, { config().copy(storageDir = "$folder") }) {
            val request = fetch(stage.habit)
            val call = scope.launch { request.accept() }
            reach(stage, watched)
            assertTrue(request.isRunning())

            val took = measureTime { call.cancelAndJoin() }

            assertFalse(request.isRunning())
            assertEquals(stage.state, request.state())
            assertTrue(took < limit, "$took")
            println("cancelled in the middle of $stage: $took")
            assertEquals(listOf(request.requestId()), unfinished())
            goOn(stage, request, watched)
        }
    }

    private suspend fun Scene.goOn(stage: Stage, request: ChannelRequest, watched: Watched) {
        watched.gate.open()
        val call = scope.async { if (stage == Stage.CONNECT) request.acceptOrPause() else request.resumeOrPause() }
        testbed.awaitCallbacks(1)
        waitUntil("the call runs") { request.isRunning() }
        val channel = testbed.proposal()
        assertEquals(ChannelVerdict.Expected(request.requestId()), client.reportIncomingChannel(channel))
        assertEquals(ChannelOutcome.Opening(channel), call.await())
        assertEquals(1, testbed.callbacks().size, "asked once")
        assertTrue(unfinished().isEmpty())
    }

    @ParameterizedTest
    @EnumSource
    fun `accept ends at once and goes on`(stage: Stage, @TempDir folder: Path) =
        cancelAt(stage, folder) { accept() }

    @ParameterizedTest
    @EnumSource
    fun `acceptOrPause ends at once and goes on`(stage: Stage, @TempDir folder: Path) =
        cancelAt(stage, folder) { acceptOrPause() }

    @Test
    fun `a time limit of the wallet's own is a cancellation`() = scene {
        val request = fetch("OkAndNeverOpens")
        thrownBy<CancellationException> { withTimeout(50.milliseconds) { request.acceptOrPause() } }
        waitUntil("it is paused") { !request.isRunning() }
    }

    @Test
    fun `a coroutine that was cancelled before does not begin`() = scene {
        val request = fetch()
        val call = scope.launch(start = CoroutineStart.UNDISPATCHED) {
            coroutineContext[Job]!!.cancel()
            thrownBy<CancellationException> { request.acceptOrPause() }
        }
        call.join()
        assertEquals(ChannelRequestState.OFFERED, request.state())
        assertTrue(testbed.callbacks().isEmpty())
    }

    @Test
    fun `cancelled at any moment, the request can go on`() {
        var longest = Duration.ZERO
        scene {
            repeat(100) { round ->
                val request = fetch("OkAndNeverOpens")
                val call = scope.launch { request.acceptOrPause() }
                // Somewhere between before the first step and the wait.
                repeat(round * 20) { Thread.onSpinWait() }
                longest = maxOf(longest, measureTime { call.cancelAndJoin() })
                assertTrue(request.state() in GOES_ON, "${request.state()}")
                // A call that was cancelled as it began may end a moment later.
                waitUntil("it is declined") { runCatching { request.decline() }.isSuccess }
                request.close()
            }
        }
        assertTrue(longest < limit, "$longest")
        println("cancelled at any moment: $longest at the most")
    }

    @Test
    fun `one who joined and is cancelled leaves the others waiting`() {
        val watched = Watched()
        scene(watched.node) {
            val request = fetch("OkAndNeverOpens")
            val first = scope.async { request.acceptOrPause() }
            reach(Stage.WAIT, watched)
            val joined = scope.async(start = CoroutineStart.UNDISPATCHED) { request.resume() }
            // The library takes up its calls in order: when this one has ended, that one has joined.
            fetch("OkAndNeverOpens")
            first.cancelAndJoin()
            assertTrue(request.isRunning())
            client.reportIncomingChannel(testbed.proposal())
            assertInstanceOf(ChannelOutcome.Opening::class.java, joined.await())
        }
    }

    @Test
    fun `what has arrived is returned, even if the cancellation comes first`() {
        val busy = Gate()
        Executors.newSingleThreadExecutor().asCoroutineDispatcher().use { main ->
            scene {
                val request = fetch("OkAndNeverOpens")
                var outcome: ChannelOutcome? = null
                val call = scope.launch(main) { outcome = request.acceptOrPause() }
                testbed.awaitCallbacks(1)
                scope.launch(main) { busy.pass() }
                busy.awaitReached()
                client.reportIncomingChannel(testbed.proposal())
                waitUntil("the library has told") { unfinished().isEmpty() }
                call.cancel()
                busy.open()
                call.join()
                assertEquals(ChannelOutcome.Opening(testbed.proposal()), outcome)
            }
        }
    }

    @Test
    fun `a request may be closed right after the cancellation`() = scene {
        val request = fetch("OkAndNeverOpens")
        val call = scope.launch { request.acceptOrPause() }
        testbed.awaitCallbacks(1)
        call.cancel()
        request.close()
        call.join()
        assertTrue(call.isCancelled)
    }

    @Test
    fun `an arrival that races with the cancellation is told, or stays unfinished`() = scene {
        repeat(100) { round ->
            val request = fetch("OkAndNeverOpens")
            var told = false
            val call = scope.launch { request.acceptOrPause().also { told = true } }
            testbed.awaitCallbacks(round + 1)
            val report = scope.launch { client.reportIncomingChannel(testbed.proposal(round)) }
            repeat((round % 20) * 500) { Thread.onSpinWait() }
            call.cancelAndJoin()
            report.join()
            assertEquals(ChannelRequestState.ARRIVED, request.state())
            assertTrue(told || request.requestId() in unfinished())
            assertInstanceOf(ChannelOutcome.Opening::class.java, request.resumeOrPause())
        }
    }

    private companion object {
        val GOES_ON = setOf(
            ChannelRequestState.OFFERED,
            ChannelRequestState.CONNECTING,
            ChannelRequestState.OUTCOME_UNKNOWN,
            ChannelRequestState.AWAITING,
        )
    }
}
