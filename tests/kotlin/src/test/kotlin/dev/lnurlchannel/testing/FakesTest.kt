package dev.lnurlchannel.testing

import dev.lnurlchannel.ChannelKind
import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.ChannelRequests
import dev.lnurlchannel.ChannelStage
import dev.lnurlchannel.ChannelStep
import dev.lnurlchannel.ChannelVerdict
import dev.lnurlchannel.ChannelVisibility
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.support.Recorder
import dev.lnurlchannel.support.failure
import dev.lnurlchannel.support.thrownBy
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.advanceUntilIdle
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** The fakes, as a wallet's own tests use them. */
@OptIn(ExperimentalCoroutinesApi::class)
class FakesTest {
    @Test
    fun `a call leads to what the test says, in virtual time`() = runTest {
        val client = FakeChannelClient()
        val request = client.fetchReturns(after = 5.seconds)
        request.acceptReturns(fakeFunded(), after = 60.seconds)
        val lnurl = FakeLnurl()
        assertEquals(request, client.fetch(lnurl))
        assertEquals(fakeFunded(), request.accept(ChannelVisibility.ANNOUNCED))
        assertEquals(65_000, currentTime)
        assertEquals(listOf(lnurl), client.fetched)
        assertEquals(listOf(ChannelVisibility.ANNOUNCED), request.accepts)
    }

    @Test
    fun `of several answers each call takes the next, and the last one stays`() = runTest {
        val request = FakeChannelRequest()
        request.acceptThrows(LnurlChannelException.NoChannel(true, emptyList(), "it takes its time"))
        request.acceptReturns(fakeHostedOffer())
        assertTrue(failure<LnurlChannelException.NoChannel> { request.accept() }.serviceAgreed)
        repeat(2) { assertTrue(request.accept() is ChannelOutcome.HostedOffered) }
        request.askAgainThrows(LnurlChannelException.Refused("no"))
        assertEquals("no", failure<LnurlChannelException.Refused> { request.askAgain() }.words)
        assertEquals(listOf(ChannelVisibility.UNANNOUNCED), request.asksAgain)
    }

    @Test
    fun `a call of which the test says nothing fails`() = runTest {
        val request = FakeChannelRequest()
        val error = thrownBy<IllegalStateException> { request.accept() }
        assertEquals("the test does not say what accept does", error.message)
        request.cancel()
        request.dismiss()
        request.pause()
        assertEquals(listOf(1, 1, 1), listOf(request.cancels, request.dismissals, request.pauses))
    }

    @Test
    fun `an answer may never come, and a cancelled coroutine leaves it`() = runTest {
        val request = FakeChannelRequest()
        request.acceptReturns(fakeFunded(), after = Duration.INFINITE)
        val call = launch { request.accept() }
        advanceUntilIdle()
        assertTrue(call.isActive)
        call.cancelAndJoin()
    }

    @Test
    fun `what a request becomes is listed, told and numbered`() = runTest {
        val recorder = Recorder()
        val client = FakeChannelClient(listener = recorder)
        val request = client.fetchReturns()
        client.fetch(FakeLnurl())
        assertTrue(client.requests().isEmpty())
        request.becomes(request.snapshot().copy(state = ChannelRequestState.AWAITING), ChannelStep.AGREED)
        request.becomes(request.snapshot().copy(channel = fakeChannel(ChannelStage.PROPOSED)), ChannelStep.PROPOSED)
        val told = recorder.changes.map { Triple(it.request.revision, it.request.state, it.step) }
        val state = ChannelRequestState.AWAITING
        assertEquals(listOf(Triple(2uL, state, ChannelStep.AGREED), Triple(3uL, state, ChannelStep.PROPOSED)), told)
        assertEquals(listOf(request.snapshot()), client.requests())
        assertEquals(request, client.request(request.requestId()))
        assertNull(client.request("another"))
    }

    @Test
    fun `requests of an earlier run are listed at once`() = runTest {
        val earlier = FakeChannelRequest(fakeSnapshot(fakeOffer(ChannelKind.HOSTED), ChannelRequestState.AWAITING))
        val requests = ChannelRequests()
        val client = FakeChannelClient(listOf(earlier), requests)
        requests.follow(client)
        assertEquals(listOf(earlier.snapshot()), requests.value)
        earlier.acceptReturns(fakeHostedOffer())
        earlier.becomes(earlier.snapshot().copy(state = ChannelRequestState.ARRIVED), ChannelStep.ARRIVED)
        assertEquals(ChannelRequestState.ARRIVED, requests.value.single().state)
    }

    @Test
    fun `verdicts are the test's, and reports are kept`() = runTest {
        val client = FakeChannelClient()
        assertEquals(ChannelVerdict.Unrequested, client.reportIncomingChannel(fakeChannel()))
        val expected = ChannelVerdict.Expected("a request")
        client.judges(expected)
        assertEquals(expected, client.reportIncomingChannel(fakeChannel(ChannelStage.READY)))
        assertEquals(listOf(fakeChannel(), fakeChannel(ChannelStage.READY)), client.reportedChannels)
        assertFalse(client.reportPeerMessage(FAKE_PEER_ID, 65533u, byteArrayOf(1)))
        client.reportPeerMessageReturns(true)
        assertTrue(client.reportPeerMessage(FAKE_PEER_ID, 65533u, byteArrayOf(2)))
        assertEquals(listOf<Byte>(1, 2), client.reportedMessages.map { it.payload.single() })
        client.reportChannelClosed(FAKE_PEER_ID, null, "no funds")
        assertEquals(listOf(FakeChannelClient.Closing(FAKE_PEER_ID, null, "no funds")), client.reportedClosings)
        client.reportPeerConnection(FAKE_PEER_ID, true)
        assertEquals(listOf(FakeChannelClient.Connection(FAKE_PEER_ID, true)), client.reportedConnections)
        client.checkPeers()
        assertEquals(1, client.peerChecks)
        assertFalse(client.isShutDown)
        client.shutdown()
        assertTrue(client.isShutDown)
    }

    @Test
    fun `an answer that the wallet fetched by itself leads to what the test says`() {
        val client = FakeChannelClient()
        val request = client.takeAnswerReturns()
        client.takeAnswerThrows(LnurlChannelException.UnsupportedTag("payRequest"))
        val lnurl = FakeLnurl(authority = "service.example:8443")
        assertEquals("service.example:8443", "$lnurl")
        assertEquals(request, client.takeAnswer(lnurl, "{}"))
        runCatching { client.takeAnswer(lnurl, "[]") }.onSuccess { error("it throws") }
        assertEquals(listOf("{}", "[]"), client.takenAnswers)
    }

    @Test
    fun `errors of the async calls without a result are the test's`() = runTest {
        val request = FakeChannelRequest()
        request.cancelThrows(LnurlChannelException.StorageFailed("the disk is full"), after = 1.seconds)
        request.dismissThrows(LnurlChannelException.WrongState(ChannelRequestState.AWAITING))
        val cancelling = async { failure<LnurlChannelException.StorageFailed> { request.cancel() } }
        failure<LnurlChannelException.WrongState> { request.dismiss() }
        cancelling.await()
        assertEquals(1_000, currentTime)
    }
}
