package dev.lnurlchannel

import dev.lnurlchannel.support.PlainNode
import dev.lnurlchannel.support.awaitState
import dev.lnurlchannel.support.channel
import dev.lnurlchannel.support.failure
import dev.lnurlchannel.support.scene
import dev.lnurlchannel.support.state
import dev.lnurlchannel.support.thrownBy
import dev.lnurlchannel.support.waitUntil
import dev.lnurlchannel.support.walletScene
import dev.lnurlchannel.testing.FakeChannelClient
import dev.lnurlchannel.testing.FakeChannelRequest
import dev.lnurlchannel.testing.fakeChannel
import dev.lnurlchannel.testing.fakeFunded
import dev.lnurlchannel.testing.fakeHostedOffer
import dev.lnurlchannel.testing.fakeOffer
import dev.lnurlchannel.testing.fakeSnapshot
import java.nio.file.Files
import java.nio.file.Path
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.serialization.json.jsonArray
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Going on with what waits: with fakes in virtual time, then on the real library. */
@OptIn(ExperimentalCoroutinesApi::class)
class BackgroundTest {
    private fun request(state: ChannelRequestState, kind: ChannelKind = ChannelKind.FUNDED) = FakeChannelRequest(
        fakeSnapshot(fakeOffer(kind), state).copy(createdAtSeconds = (System.currentTimeMillis() / 1000).toULong()),
    )

    private fun FakeChannelRequest.become(state: ChannelRequestState) = becomes(snapshot().copy(state = state))

    @Test
    fun `in the background it waits for 25 seconds, for awaited channels only, and says when to come back`() = runTest {
        val awaited = setOf(
            ChannelRequestState.AWAITING, ChannelRequestState.OUTCOME_UNKNOWN, ChannelRequestState.OPENING,
        )
        val requests = ChannelRequestState.entries.map(::request)
        for (request in requests) {
            request.acceptReturns(fakeFunded(), after = Duration.INFINITE)
            request.awaitReadyReturns(fakeChannel(), after = Duration.INFINITE)
        }
        val client = FakeChannelClient(requests)
        assertEquals(15.minutes, client.goOnInBackground())
        assertEquals(25_000, currentTime)
        assertEquals(awaited, requests.filter { it.accepts.isNotEmpty() }.map { it.state }.toSet())
        assertEquals(0, requests.sumOf { it.awaitsReady })
        assertEquals(1, client.peerChecks)
    }

    @Test
    fun `it ends sooner when nothing waits any more, and need not come back`() = runTest {
        val funded = request(ChannelRequestState.AWAITING)
        funded.acceptReturns(fakeFunded(), after = 10.seconds)
        val hosted = request(ChannelRequestState.OUTCOME_UNKNOWN, ChannelKind.HOSTED)
        hosted.acceptReturns(fakeHostedOffer(), after = 4.seconds)
        val outcomes = mutableListOf<ChannelOutcome>()
        val next = FakeChannelClient(listOf(funded, hosted)).goOnInBackground { request, outcome ->
            (request as FakeChannelRequest).become(ChannelRequestState.ARRIVED)
            outcomes += outcome
        }
        assertNull(next)
        assertEquals(10_000, currentTime)
        assertEquals(2, outcomes.size)
        assertTrue(outcomes.first() is ChannelOutcome.HostedOffered)
    }

    @Test
    fun `a call that fails ends no other`() = runTest {
        val failing = request(ChannelRequestState.AWAITING)
        failing.acceptThrows(LnurlChannelException.NodeFailed(NodeProblem.NOT_CONNECTED, "no network"))
        val waiting = request(ChannelRequestState.AWAITING)
        waiting.acceptReturns(fakeFunded(), after = 20.seconds)
        val outcomes = mutableListOf<ChannelOutcome>()
        val client = FakeChannelClient(listOf(failing, waiting))
        assertEquals(15.minutes, client.goOnInBackground { _, outcome -> outcomes += outcome })
        assertEquals(20_000, currentTime)
        assertEquals(listOf(fakeFunded()), outcomes)
    }

    @Test
    fun `in the foreground it goes on until the channel can be used, whatever time that takes`() = runTest {
        val awaited = request(ChannelRequestState.AWAITING)
        awaited.acceptReturns(fakeFunded(), after = 60.seconds)
        val arrived = request(ChannelRequestState.ARRIVED)
        val hosted = request(ChannelRequestState.ARRIVED, ChannelKind.HOSTED)
        hosted.acceptReturns(fakeHostedOffer())
        for (request in listOf(awaited, arrived)) request.awaitReadyReturns(fakeChannel(), after = 3.hours)
        FakeChannelClient(listOf(awaited, arrived, hosted)).goOn { request, _ ->
            (request as FakeChannelRequest).become(ChannelRequestState.ARRIVED)
        }
        assertEquals((3.hours + 60.seconds).inWholeMilliseconds, currentTime)
        assertEquals(listOf(1, 1, 0), listOf(awaited, arrived, hosted).map { it.awaitsReady })
        assertEquals(listOf(1, 0, 1), listOf(awaited, arrived, hosted).map { it.accepts.size })
    }

    @Test
    fun `a hosted channel that has come is told each time, until it is dismissed`() = runTest {
        val hosted = request(ChannelRequestState.ARRIVED, ChannelKind.HOSTED)
        hosted.acceptReturns(fakeHostedOffer())
        val client = FakeChannelClient(listOf(hosted))
        val told = mutableListOf<String>()
        val tell: suspend (ChannelRequest, ChannelOutcome) -> Unit = { request, outcome ->
            assertTrue(outcome is ChannelOutcome.HostedOffered)
            told += request.requestId()
        }
        client.goOn(onOutcome = tell)
        assertNull(client.goOnInBackground(onOutcome = tell), "it is not awaited")
        assertEquals(listOf(hosted.requestId(), hosted.requestId()), told)
        hosted.becomes(hosted.snapshot().copy(isDismissed = true))
        client.goOn(onOutcome = tell)
        assertNull(client.goOnInBackground(onOutcome = tell))
        assertEquals(2, told.size)
    }

    @Test
    fun `a channel that comes when the app has left the foreground is not awaited further`() = runTest {
        val request = request(ChannelRequestState.AWAITING)
        request.acceptReturns(fakeFunded(), after = 60.seconds)
        var isInForeground = true
        FakeChannelClient(listOf(request)).goOn({ isInForeground }) { told, _ ->
            (told as FakeChannelRequest).become(ChannelRequestState.ARRIVED)
            isInForeground = false
        }
        assertEquals(0, request.awaitsReady)
    }

    @Test
    fun `only what is meant is paused`() {
        val states = listOf(ChannelRequestState.AWAITING, ChannelRequestState.ARRIVED)
        val running = states.map { FakeChannelRequest(fakeSnapshot(state = it).copy(isRunning = true)) }
        val client = FakeChannelClient(running + request(ChannelRequestState.ARRIVED))
        client.pauseAll { it.awaitsReady }
        assertEquals(listOf(0, 1), running.map { it.pauses })
        client.pauseAll()
        assertEquals(listOf(1, 2), running.map { it.pauses })
    }

    @Test
    fun `peers are looked at on another thread, since that may wait for the disk`() = runTest {
        val threads = mutableListOf<Thread>()
        val client = object : ChannelClientInterface by FakeChannelClient() {
            override fun checkPeers() {
                threads += Thread.currentThread()
            }
        }
        client.goOn()
        client.goOnInBackground()
        assertEquals(2, threads.size)
        assertFalse(Thread.currentThread() in threads)
    }

    @Test
    fun `a cancelled run ends its waits`() = runTest {
        val request = request(ChannelRequestState.AWAITING)
        request.acceptReturns(fakeFunded(), after = Duration.INFINITE)
        val client = FakeChannelClient(listOf(request))
        val run = launch { client.goOnInBackground() }
        runCurrent()
        assertEquals(1, request.accepts.size)
        run.cancelAndJoin()
        assertEquals(0, currentTime)
    }

    @Test
    fun `the longer a channel does not come, the longer it may be left`() {
        val now = 2_000_000_000L
        fun left(
            ages: List<Duration>,
            state: ChannelRequestState = ChannelRequestState.AWAITING,
            isRunning: Boolean = false,
        ): Duration? {
            val requests = ages.map { age ->
                val created = (now - age.inWholeSeconds).toULong()
                FakeChannelRequest(fakeSnapshot(state = state).copy(createdAtSeconds = created, isRunning = isRunning))
            }
            return FakeChannelClient(requests).comeBackIn(now)
        }
        assertNull(left(emptyList()))
        assertNull(left(listOf(1.hours), state = ChannelRequestState.ARRIVED))
        assertNull(left(listOf(1.hours), state = ChannelRequestState.ARRIVED, isRunning = true))
        for (asking in listOf(ChannelRequestState.CONNECTING, ChannelRequestState.REQUESTING)) {
            assertEquals(1.hours, left(listOf(4.hours), asking, isRunning = true))
            assertNull(left(listOf(4.hours), asking), "no call runs")
        }
        assertEquals(15.minutes, left(listOf(0.seconds)))
        assertEquals(15.minutes, left(listOf((-1).hours)), "the clock was set")
        assertEquals(15.minutes, left(listOf(1.hours)))
        assertEquals(1.hours, left(listOf(4.hours)))
        assertEquals(1.hours, left(listOf(400.hours, 4.hours)), "the newest decides")
        assertEquals(12.hours, left(listOf(400.hours)))
    }

    @Test
    fun `on the real library it asks nobody, and pauses what nobody else waits for`() = scene {
        val alone = fetch("OkAndNeverOpens")
        val shared = fetch("OkAndNeverOpens")
        val calls = listOf(alone, shared).map { scope.async { runCatching { it.accept() } } }
        for (request in listOf(alone, shared)) request.awaitState(ChannelRequestState.AWAITING)
        alone.pause()
        calls.first().await()

        assertEquals(15.minutes, client.goOnInBackground(300.milliseconds))

        assertFalse(alone.snapshot().isRunning)
        assertTrue(shared.snapshot().isRunning, "the screen waits for it")
        assertEquals(2, testbed.callbacks().size)
        client.pauseAll()
        assertTrue(calls.last().await().exceptionOrNull() is LnurlChannelException.Cancelled)
        assertEquals(listOf(ChannelRequestState.AWAITING), listOf(alone, shared).map { it.state }.distinct())
    }

    @Test
    fun `on the real library a channel that comes in the background is the outcome`() = scene {
        val request = fetch("OkAndNeverOpens")
        val call = scope.async { runCatching { request.accept() } }
        request.awaitState(ChannelRequestState.AWAITING)
        client.pauseAll()
        call.await()
        val outcomes = mutableListOf<ChannelOutcome>()
        val run = scope.async { client.goOnInBackground { _, outcome -> outcomes += outcome } }
        waitUntil("it waits") { request.snapshot().isRunning }
        client.reportIncomingChannel(testbed.channel())
        assertNull(run.await())
        assertEquals(listOf<ChannelOutcome>(ChannelOutcome.Funded(testbed.channel())), outcomes)
    }

    @Test
    fun `on real nodes a hosted channel is told until it is dismissed, and the host is not asked again`() = walletScene {
        val request = fetch(kind = "hosted")
        val message = (request.accept() as ChannelOutcome.HostedOffered).message
        val told = mutableListOf<ChannelOutcome>()
        client.goOn { _, outcome -> told += outcome }
        assertNull(client.goOnInBackground { _, outcome -> told += outcome })
        for (outcome in told) assertArrayEquals(message, (outcome as ChannelOutcome.HostedOffered).message)
        request.dismiss()
        client.goOn { _, outcome -> told += outcome }
        assertEquals(2, told.size)
        assertEquals(1, testbed.get("target/invocations").getValue("invocations").jsonArray.size)
    }

    @Test
    fun `on real nodes it goes on until the channel can be used`() = walletScene {
        val request = fetch()
        request.accept()
        val run = scope.launch { client.goOn() }
        waitUntil("it is ready") {
            // The funding transaction may come after some of the blocks.
            testbed.post("mine")
            request.state == ChannelRequestState.READY
        }
        run.join()
        assertFalse(request.snapshot().isRunning)
    }

    @Test
    fun `the folder is made once, in the one that no backup holds`(@TempDir parent: Path) = scene {
        val folder = channelFolder(parent.toFile())
        assertEquals("$parent/channels", folder)
        assertTrue(Files.isDirectory(Path.of(folder)))
        assertEquals(folder, channelFolder(parent.toFile()))
        assertEquals("$parent/second", channelFolder(parent.toFile(), "second"))
        ChannelClient(PlainNode(), ChannelRequests(), ClientConfig(folder)).shutdown()
        for (name in listOf("", ".", "..", "a/b")) {
            thrownBy<IllegalArgumentException> { channelFolder(parent.toFile(), name) }
        }
        Files.writeString(parent.resolve("file"), "")
        failure<LnurlChannelException.StorageFailed> { channelFolder(parent.toFile(), "file") }
    }
}
