package dev.lnurlchannel

import dev.lnurlchannel.support.Gate
import dev.lnurlchannel.support.PlainNode
import dev.lnurlchannel.support.Recorder
import dev.lnurlchannel.support.Testbed
import dev.lnurlchannel.support.awaitState
import dev.lnurlchannel.support.channel
import dev.lnurlchannel.support.failure
import dev.lnurlchannel.support.scene
import dev.lnurlchannel.support.state
import dev.lnurlchannel.support.waitUntil
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** `accept` asks the service once; only `askAgain` asks a second time. */
class AskingTest {
    @Test
    fun `accept that is called again waits on and asks nobody`() = scene(configure = Testbed::hastyConfig) {
        val request = fetch("OkAndNeverOpens")
        repeat(3) { failure<LnurlChannelException.NoChannel> { request.accept() } }
        assertEquals(1, testbed.callbacks().size)
        val channel = testbed.channel()
        client.reportIncomingChannel(channel)
        repeat(2) { assertEquals(ChannelOutcome.Funded(channel), request.accept()) }
        assertEquals(1, testbed.callbacks().size)
    }

    @Test
    fun `calls to accept at once share one call and its result`() = scene {
        val request = fetch("OkAndNeverOpens")
        val calls = List(8) { scope.async { request.accept() } }
        testbed.awaitCallbacks(1)
        val channel = testbed.channel()
        client.reportIncomingChannel(channel)
        assertEquals(List(8) { ChannelOutcome.Funded(channel) }, calls.awaitAll())
        assertEquals(1, testbed.callbacks().size)
    }

    @Test
    fun `askAgain asks once more, and not while a call runs`() = scene(configure = Testbed::hastyConfig) {
        val request = fetch("OkAndNeverOpens")
        failure<LnurlChannelException.NoChannel> { request.accept() }
        val again = scope.async { failure<LnurlChannelException.NoChannel> { request.askAgain() } }
        testbed.awaitCallbacks(2, fetches = 1)
        failure<LnurlChannelException.WrongState> { request.askAgain() }
        again.await()
        assertEquals(2, testbed.callbacks().size)
    }

    @Test
    fun `after a refusal the wallet fetches anew`() = scene {
        val lnurl = decodeLnurl(testbed.offer("ErrorAnswer"))
        val refused = client.fetch(lnurl)
        failure<LnurlChannelException.Refused> { refused.accept() }
        assertNotEquals(refused.requestId(), client.fetch(lnurl).requestId())
    }

    @Test
    fun `the same LNURL scanned again is the same request while it goes on`() = scene {
        val lnurl = decodeLnurl(testbed.offer("OkAndNeverOpens"))
        val request = client.fetch(lnurl)
        val call = scope.async { request.accept() }
        testbed.awaitCallbacks(1)
        assertEquals(request.requestId(), client.fetch(lnurl).requestId())
        client.reportIncomingChannel(testbed.channel())
        call.await()
    }

    @Test
    fun `a channel that comes while askAgain connects is the answer, and nothing is sent`() {
        val gates = ArrayDeque(listOf(Gate().apply { open() }))
        val again = Gate()
        val node = PlainNode(onConnect = { (synchronized(gates) { gates.removeFirstOrNull() } ?: again).pass(); true })
        scene(node, configure = Testbed::hastyConfig) {
            val request = fetch("OkAndNeverOpens")
            val call = scope.async { failure<LnurlChannelException.Cancelled> { request.accept() } }
            request.awaitState(ChannelRequestState.AWAITING)
            request.pause()
            call.await()
            val asking = scope.async { request.askAgain() }
            again.awaitReached()
            val channel = testbed.channel()
            client.reportIncomingChannel(channel)
            again.open()
            assertEquals(ChannelOutcome.Funded(channel), asking.await())
            assertEquals(1, testbed.callbacks().size)
        }
    }

    @Test
    fun `a proposal that fails is told, and accept waits for the next`() {
        val recorder = Recorder()
        suspend fun told(step: ChannelStep) = waitUntil("$step") { recorder.changes.any { it.step == step } }
        scene(listener = recorder) {
            val request = fetch("OkAndNeverOpens")
            val call = scope.async { request.accept() }
            told(ChannelStep.AGREED)
            val expected = ChannelVerdict.Expected(request.requestId())
            val first = testbed.channel(1, ChannelStage.PROPOSED)
            assertEquals(expected, client.reportIncomingChannel(first))
            told(ChannelStep.PROPOSED)
            assertEquals(ChannelRequestState.OPENING, request.state)
            client.reportChannelClosed(first.peerId, first.channelId, "no funds")
            told(ChannelStep.OPENING_FAILED)
            assertEquals(ChannelRequestState.AWAITING, request.state)
            assertTrue(ChannelConcern.ProposalFailed("no funds") in request.snapshot().concerns)
            assertEquals(expected, client.reportIncomingChannel(testbed.channel(2)))
            assertInstanceOf(ChannelOutcome.Funded::class.java, call.await())
        }
    }
}
