package dev.lnurlchannel.testing

import dev.lnurlchannel.ChannelEvent
import dev.lnurlchannel.ChannelKind
import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.ChannelStage
import dev.lnurlchannel.ChannelVerdict
import dev.lnurlchannel.ChannelVisibility
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.acceptOrPause
import dev.lnurlchannel.resumeOrPause
import dev.lnurlchannel.support.PlainNode
import dev.lnurlchannel.support.failure
import dev.lnurlchannel.support.thrownBy
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** The fakes, as a wallet's own tests use them. */
@OptIn(ExperimentalCoroutinesApi::class)
class FakesTest {
    @Test
    fun `a scripted offer leads to its outcome, in virtual time`() = runTest {
        val node = PlainNode()
        val client = FakeChannelClient()
        client.offer(FakeChannelRequest(node = node) {
            asking()
            delay(60.seconds)
            agree()
            arrive(fakeOpening())
        })
        val request = client.fetch(FakeLnurl())
        assertEquals("service.example", request.offer().service)
        assertEquals(fakeOpening(), request.accept(ChannelVisibility.ANNOUNCED))
        assertEquals(60_000, currentTime)
        assertEquals(listOf(FakeLnurl()), client.fetched)
        val steps = node.events.map { it.javaClass.simpleName }
        assertEquals(listOf("Connecting", "Requesting", "AwaitingChannel", "Arrived"), steps)
        assertTrue(client.unfinishedRequests().isEmpty())
    }

    @Test
    fun `a report brings the channel to the request that waits`() = runTest {
        val client = FakeChannelClient()
        val request = client.offer()
        client.fetch(FakeLnurl())
        assertEquals(ChannelVerdict.Unrequested, client.reportIncomingChannel(fakeChannel()))
        val call = async { request.accept() }
        runCurrent()
        val funded = fakeChannel(channelId = "08").copy(stage = ChannelStage.FUNDED)
        val expected = ChannelVerdict.Expected(request.requestId())
        assertEquals(expected, client.reportIncomingChannel(funded))
        assertEquals(fakeOpening(funded), call.await())
        assertEquals(expected, client.reportIncomingChannel(funded))
        val another = client.reportIncomingChannel(fakeChannel(channelId = "09"))
        assertEquals(ChannelVerdict.Duplicate(request.requestId()), another)
        client.reportChannelFailed(FAKE_PEER_ID, funded.channelId)
        assertEquals(ChannelRequestState.AWAITING, request.state())
        request.cancel()
        val unwanted = ChannelVerdict.Unwanted(request.requestId())
        assertEquals(unwanted, client.reportIncomingChannel(fakeChannel(channelId = "0a")))
    }

    @Test
    fun `a channel that a script or an earlier run brought is no other when it is reported`() = runTest {
        val earlier = FakeChannelRequest(state = ChannelRequestState.ARRIVED, outcome = fakeOpening())
        val other = fakeChannel(channelId = "08")
        val client = FakeChannelClient(listOf(earlier))
        val request = client.offer(FakeChannelRequest { asking(); agree(); arrive(fakeOpening(other)) })
        client.fetch(FakeLnurl()).accept()
        for ((channel, arrivedAt) in mapOf(fakeChannel() to earlier, other to request)) {
            assertEquals(ChannelVerdict.Expected(arrivedAt.requestId()), client.reportIncomingChannel(channel))
        }
    }

    @Test
    fun `a hosted offer ends in its outcome`() = runTest {
        val client = FakeChannelClient()
        val request = client.offer(FakeChannelRequest(fakeOffer(ChannelKind.HOSTED)))
        client.readPeerMessage = { type, payload -> fakeHostedOffer(payload).takeIf { type == 65533.toUShort() } }
        val call = async { request.accept() }
        assertFalse(client.reportPeerMessage(FAKE_PEER_ID, 65533u, byteArrayOf(1)))
        client.fetch(FakeLnurl())
        runCurrent()
        assertTrue(client.reportPeerMessage(FAKE_PEER_ID, 65533u, byteArrayOf(1)))
        assertEquals(1, (call.await() as ChannelOutcome.HostedOffered).message.single())
    }

    @Test
    fun `a host's message is for the request that awaits it, a running one first`() = runTest {
        fun hosted(state: ChannelRequestState) = FakeChannelRequest(fakeOffer(ChannelKind.HOSTED), state = state)
        val ended = listOf(ChannelRequestState.CANCELLED, ChannelRequestState.REFUSED).map(::hosted)
        val (older, running, newest) = List(3) { hosted(ChannelRequestState.OFFERED) }
        val earlier = hosted(ChannelRequestState.AWAITING)
        val client = FakeChannelClient(earlier = ended + older + running + newest + earlier)
        client.readPeerMessage = { _, payload -> fakeHostedOffer(payload) }
        fun isTaken() = client.reportPeerMessage(FAKE_PEER_ID, 65533u, byteArrayOf(1))
        for (request in listOf(older, running, newest)) {
            val call = launch { request.acceptOrPause(context = coroutineContext) }
            runCurrent()
            call.cancelAndJoin()
        }
        val call = async { running.resume() }
        runCurrent()
        for (next in listOf(running, newest, older)) {
            assertTrue(isTaken())
            assertEquals(ChannelRequestState.ARRIVED, next.state())
        }
        call.await()
        // Asked before the restart, on a connection that is gone.
        assertFalse(isTaken())
        val resumed = async { earlier.resume() }
        runCurrent()
        assertTrue(isTaken())
        resumed.await()
        assertEquals(listOf(ChannelRequestState.CANCELLED, ChannelRequestState.REFUSED), ended.map { it.state() })
    }

    @Test
    fun `scripted errors are thrown, and the request is what it then is`() = runTest {
        val states = mapOf(
            LnurlChannelException.NodeFailed("") to ChannelRequestState.OFFERED,
            LnurlChannelException.Unreachable("") to ChannelRequestState.OFFERED,
            LnurlChannelException.StorageFailed("") to ChannelRequestState.OFFERED,
            LnurlChannelException.Refused("no") to ChannelRequestState.REFUSED,
            LnurlChannelException.OutcomeUnknown("") to ChannelRequestState.OUTCOME_UNKNOWN,
            LnurlChannelException.InvalidResponse("") to ChannelRequestState.OUTCOME_UNKNOWN,
        )
        for ((error, state) in states) {
            val request = FakeChannelRequest { asking(); fail(error) }
            assertEquals(error.javaClass, failure<LnurlChannelException> { request.accept() }.javaClass)
            assertEquals(state, request.state())
            assertEquals(state == ChannelRequestState.OUTCOME_UNKNOWN, request.isUnfinished)
        }
        val silent = FakeChannelRequest { asking(); agree(); fail(LnurlChannelException.NoChannel(true, "")) }
        assertTrue(failure<LnurlChannelException.NoChannel> { silent.accept() }.peerConnected)
        assertEquals(ChannelRequestState.AWAITING, silent.state())
    }

    @Test
    fun `a scripted refusal of the offer is thrown`() = runTest {
        val client = FakeChannelClient()
        client.refuse(LnurlChannelException.TorRequired("host.onion"))
        val error = failure<LnurlChannelException.TorRequired> { client.fetch(FakeLnurl("host.onion")) }
        assertEquals("host.onion", error.host)
    }

    @Test
    fun `a cancelled coroutine pauses, and resume goes on`() = runTest {
        val request = FakeChannelRequest { asking(); loseAnswer(); reconnecting() }
        val call = launch { request.acceptOrPause(context = coroutineContext) }
        runCurrent()
        val joined = async { request.resume() }
        runCurrent()
        call.cancelAndJoin()
        assertTrue(request.isRunning())
        joined.cancelAndJoin()
        assertFalse(request.isRunning())
        assertEquals(ChannelRequestState.OUTCOME_UNKNOWN, request.state())
        val resumed = async { request.resumeOrPause(coroutineContext) }
        runCurrent()
        request.arrive(fakeOpening())
        assertEquals(fakeOpening(), resumed.await())
        assertEquals(listOf(ChannelVisibility.UNANNOUNCED), request.accepts)
    }

    @Test
    fun `requests of an earlier run are unfinished, and shutdown ends all`() = runTest {
        val waiting = FakeChannelRequest(state = ChannelRequestState.AWAITING)
        val arrived = FakeChannelRequest(state = ChannelRequestState.ARRIVED, outcome = fakeOpening())
        val client = FakeChannelClient(earlier = listOf(waiting, arrived))
        assertEquals(listOf(waiting, arrived), client.unfinishedRequests())
        assertEquals(fakeOpening(), arrived.resume())
        assertEquals(listOf(waiting), client.unfinishedRequests())
        assertEquals(waiting, client.request(waiting.requestId()))
        val call = async { failure<LnurlChannelException.Cancelled> { waiting.resume() } }
        runCurrent()
        client.checkPeers()
        client.shutdown()
        call.await()
        assertEquals(1, client.checks)
        failure<LnurlChannelException.Cancelled> { client.fetch(FakeLnurl()) }
        failure<LnurlChannelException.Cancelled> { waiting.resume() }
        assertEquals(ChannelVerdict.Unrequested, client.reportIncomingChannel(fakeChannel(channelId = "08")))
    }

    @Test
    fun `after shutdown a host's message is the wallet's own affair`() = runTest {
        val hosted = FakeChannelRequest(fakeOffer(ChannelKind.HOSTED), state = ChannelRequestState.AWAITING)
        val client = FakeChannelClient(listOf(hosted))
        client.readPeerMessage = { _, payload -> fakeHostedOffer(payload) }
        client.shutdown()
        assertFalse(client.reportPeerMessage(FAKE_PEER_ID, 65533u, byteArrayOf(1)))
        assertEquals(ChannelRequestState.AWAITING, hosted.state())
    }

    @Test
    fun `a script ends with a call that is paused or cancelled from an event`() = runTest {
        val ends = mapOf<ChannelRequestState, suspend (FakeChannelRequest) -> Unit>(
            ChannelRequestState.OUTCOME_UNKNOWN to { it.pause() },
            ChannelRequestState.CANCELLED to { it.cancel() },
        )
        val steps = listOf<FakeChannelRequest.() -> Unit>(
            { agree() },
            { loseAnswer() },
            { reconnecting() },
            { arrive(fakeOpening()) },
            { fail(LnurlChannelException.Refused("no")) },
        )
        for ((state, end) in ends) for (step in steps) {
            lateinit var request: FakeChannelRequest
            val node = PlainNode(onEvent = { _, event ->
                if (event is ChannelEvent.Requesting) runBlocking { end(request) }
            })
            request = FakeChannelRequest(node = node) { asking(); step() }
            failure<LnurlChannelException.Cancelled> { request.accept() }
            assertEquals(state, request.state())
            assertEquals(listOf("Connecting", "Requesting"), node.events.map { it.javaClass.simpleName })
        }
    }

    @Test
    fun `a step of the test that comes after the call is a mistake of the test`() = runTest {
        val request = FakeChannelRequest()
        val call = launch { request.acceptOrPause(context = coroutineContext) }
        runCurrent()
        call.cancelAndJoin()
        assertEquals("no call runs", thrownBy<IllegalStateException> { request.agree() }.message)
    }

    @Test
    fun `what a script throws, the call throws`() = runTest {
        val request = FakeChannelRequest { asking(); throw IllegalStateException("a bug") }
        assertEquals("a bug", thrownBy<IllegalStateException> { request.accept() }.message)
        assertFalse(request.isRunning())
        assertEquals(ChannelRequestState.OUTCOME_UNKNOWN, request.state())
    }

    @Test
    fun `when the arrival is told, no call runs any more`() = runTest {
        lateinit var request: FakeChannelRequest
        var ran: Boolean? = null
        var paused: Boolean? = null
        val node = PlainNode(onEvent = { _, event ->
            if (event is ChannelEvent.Arrived) {
                ran = request.isRunning()
                paused = request.pause()
            }
        })
        request = FakeChannelRequest(node = node) { asking(); agree(); arrive(fakeOpening()) }
        assertEquals(fakeOpening(), request.accept())
        assertEquals(false, ran)
        assertEquals(false, paused)
    }

    @Test
    fun `a script goes on for whoever has joined, and for as long`() = runTest {
        var steps = 0
        val request = FakeChannelRequest {
            asking()
            while (true) {
                delay(60.seconds)
                if (++steps == 3) arrive(fakeOpening())
            }
        }
        val first = launch { request.accept() }
        runCurrent()
        val joined = async { request.resume() }
        runCurrent()
        first.cancelAndJoin()
        assertEquals(fakeOpening(), joined.await())
        delay(600.seconds)
        assertEquals(3, steps)
    }

    @Test
    fun `an error in the listener changes nothing`() = runTest {
        val node = PlainNode(onEvent = { _, _ -> throw AssertionError("a bug") })
        val request = FakeChannelRequest(node = node) { asking(); agree(); arrive(fakeOpening()) }
        assertEquals(fakeOpening(), request.accept())
        assertFalse(request.isRunning())
    }
}
