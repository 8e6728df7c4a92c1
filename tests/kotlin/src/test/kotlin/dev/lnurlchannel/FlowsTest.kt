package dev.lnurlchannel

import dev.lnurlchannel.support.Recorder
import dev.lnurlchannel.support.scene
import dev.lnurlchannel.support.state
import dev.lnurlchannel.support.waitUntil
import dev.lnurlchannel.support.walletScene
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.serialization.json.jsonArray
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Both flows, from the LNURL to what the real peer sends. */
class FlowsTest {
    @Test
    fun `a channel request ends in a funded channel of the peer`() {
        val recorder = Recorder()
        walletScene(recorder) { wallet ->
            val request = fetch()
            val offer = request.snapshot().offer
            assertEquals(ChannelKind.FUNDED, offer.kind)
            assertEquals(testbed.targetId, offer.peer.nodeId)
            assertTrue(checkNotNull(offer.service).startsWith("localhost"), offer.service)
            assertEquals(ChannelRequestState.OFFERED, request.state)
            assertTrue(listed().isEmpty(), "only what was accepted is listed")

            val outcome = assertInstanceOf(ChannelOutcome.Funded::class.java, request.accept())

            assertEquals(testbed.targetId, outcome.channel.peerId)
            assertEquals(ChannelStage.FUNDED, outcome.channel.stage)
            assertEquals(outcome.channel, request.snapshot().channel)
            assertEquals(ChannelVisibility.UNANNOUNCED, request.snapshot().visibility)
            val expected = ChannelVerdict.Expected(request.requestId())
            waitUntil("both verdicts") { wallet.verdicts.size == 2 }
            assertEquals(listOf(expected, expected), wallet.verdicts.toList(), "proposed and funded")
            waitUntil("the arrival is told") { recorder.changes.any { it.step == ChannelStep.ARRIVED } }
            val told = recorder.of(request.requestId())
            val steps = told.map { it.step }
            val awaited = listOf(
                ChannelStep.CONNECTING, ChannelStep.REQUESTING, ChannelStep.PROPOSED, ChannelStep.ARRIVED,
            )
            assertEquals(awaited, steps.filter { it in awaited })
            val revisions = told.map { it.request.revision }
            assertEquals(revisions.sorted().distinct(), revisions, "each snapshot is later than the one before")
            assertEquals(listOf(request.requestId()), listed())
        }
    }

    @Test
    fun `an arrived channel becomes ready, and is shown until it is dismissed`() = walletScene {
        val request = fetch()
        assertEquals(emptyList<ChannelConcern>(), request.preflight())
        request.accept()
        coroutineScope {
            val left = launch { request.awaitReady() }
            waitUntil("it awaits the channel") { request.snapshot().isRunning }
            left.cancelAndJoin()
            waitUntil("nobody waits any more") { !request.snapshot().isRunning }
            val ready = async { request.awaitReady() }
            waitUntil("it is ready") {
                // The funding transaction may come after some of the blocks.
                testbed.post("mine")
                request.state == ChannelRequestState.READY
            }
            assertEquals(ChannelStage.READY, ready.await().stage)
        }
        assertTrue("\"Ready\"" in request.receipt(), request.receipt())
        assertFalse(client.requests().single().isDismissed)
        request.dismiss()
        assertTrue(client.requests().single().isDismissed)
    }

    @Test
    fun `a channel arrives before the service has answered`() = walletScene { wallet ->
        val request = fetch("AnswersAfterNegotiation")
        assertInstanceOf(ChannelOutcome.Funded::class.java, request.accept())
        assertEquals(ChannelVerdict.Expected(request.requestId()), wallet.verdicts.first())
    }

    @Test
    fun `a hosted channel request ends in the terms of the host`() = walletScene {
        val request = fetch(kind = "hosted")
        val offer = request.snapshot().offer
        assertEquals(ChannelKind.HOSTED, offer.kind)
        assertNull(offer.callbackHost)

        val outcome = assertInstanceOf(ChannelOutcome.HostedOffered::class.java, request.accept())

        assertTrue(outcome.terms.capacityMsat > 0uL)
        assertTrue(outcome.message.size >= INIT_BYTES)
        assertEquals(1, testbed.get("target/invocations").getValue("invocations").jsonArray.size)
        assertEquals(ChannelRequestState.ARRIVED, request.state)
        assertEquals(outcome.terms, request.snapshot().hostedTerms)
    }

    @Test
    fun `a host that has a channel already says so`() = walletScene {
        val outcome = fetch("HostedChannelExists", kind = "hosted").accept()
        assertTrue(assertInstanceOf(ChannelOutcome.HostedExists::class.java, outcome).message.isNotEmpty())
    }

    @Test
    fun `an offer that is cancelled before it is accepted is told to nobody`() = scene {
        val request = fetch()
        request.cancel()
        assertEquals(ChannelRequestState.CANCELLED, request.state)
        assertTrue(testbed.callbacks().isEmpty())
        assertTrue(listed().isEmpty())
    }

    @Test
    fun `the wallet may have fetched the answer by itself`() = scene {
        val lnurl = decodeLnurl("lnurlc://service.example/channel")
        val answer = """{"tag":"channelRequest","uri":"${testbed.targetUri}","callback":"/open","k1":"1"}"""
        val offer = client.takeAnswer(lnurl, answer).snapshot().offer
        assertEquals(testbed.targetId, offer.peer.nodeId)
        assertEquals("service.example", offer.service)
    }

    @Test
    fun `an LNURL can be encoded and decoded, shown and compared`() {
        val text = encodeLnurl("https://service.example:8443/channel?secret=1")
        decodeLnurl(text).use { lnurl ->
            assertEquals("https://service.example:8443/channel?secret=1", lnurl.url())
            assertEquals("service.example", lnurl.host())
            assertEquals("service.example:8443", lnurl.authority())
            assertTrue("secret" !in lnurl.toString())
            decodeLnurl("lightning:$text").use { assertEquals(lnurl, it) }
        }
    }

    private companion object {
        /** `init_hosted_channel` without features. */
        const val INIT_BYTES = 4 * 8 + 2
    }
}
