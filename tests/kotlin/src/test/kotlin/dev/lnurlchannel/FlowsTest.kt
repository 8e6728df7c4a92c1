package dev.lnurlchannel

import dev.lnurlchannel.support.scene
import dev.lnurlchannel.support.waitUntil
import dev.lnurlchannel.support.walletScene
import kotlinx.serialization.json.jsonArray
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Both flows, from the LNURL to what the real peer sends. */
class FlowsTest {
    @Test
    fun `a channel request ends in a real open_channel`() = walletScene { wallet ->
        val request = fetch()
        val offer = request.offer()
        assertEquals(ChannelKind.FUNDED, offer.kind)
        assertEquals(testbed.targetId, offer.peer.nodeId)
        assertEquals("localhost", offer.service)
        assertEquals(ChannelRequestState.OFFERED, request.state())

        val outcome = assertInstanceOf(ChannelOutcome.Opening::class.java, request.accept())

        assertEquals(testbed.targetId, outcome.channel.peerId)
        assertEquals(ChannelRequestState.ARRIVED, request.state())
        waitUntil("the wallet has the verdict") { wallet.verdicts.isNotEmpty() }
        assertEquals(ChannelVerdict.Expected(request.requestId()), wallet.verdicts.first())
        assertEquals(ChannelEvent.Connecting(offer.peer), wallet.events.first())
        assertEquals(ChannelEvent.Requesting(offer.peer), wallet.events[1])
        assertEquals(ChannelEvent.Arrived(outcome), wallet.events.last())
        assertTrue(unfinished().isEmpty())
    }

    @Test
    fun `a channel arrives before the service has answered`() = walletScene { wallet ->
        val request = fetch("AnswersAfterNegotiation")
        assertInstanceOf(ChannelOutcome.Opening::class.java, request.accept())
        waitUntil("the wallet has the verdict") { wallet.verdicts.isNotEmpty() }
        assertEquals(ChannelVerdict.Expected(request.requestId()), wallet.verdicts.first())
    }

    @Test
    fun `a hosted channel request ends in a real init_hosted_channel`() = walletScene { wallet ->
        val request = fetch(kind = "hosted")
        assertEquals(ChannelKind.HOSTED, request.offer().kind)
        assertNull(request.offer().callbackHost)

        val outcome = assertInstanceOf(ChannelOutcome.HostedOffered::class.java, request.accept())

        assertTrue(outcome.terms.capacityMsat > 0uL)
        assertTrue(outcome.message.size >= INIT_BYTES)
        assertEquals(1, testbed.get("target/invocations").getValue("invocations").jsonArray.size)
        val arrived = assertInstanceOf(ChannelEvent.Arrived::class.java, wallet.events.last())
        val told = assertInstanceOf(ChannelOutcome.HostedOffered::class.java, arrived.outcome)
        assertArrayEquals(outcome.message, told.message)
    }

    @Test
    fun `a host that has a channel already says so`() = walletScene {
        val outcome = fetch("HostedChannelExists", kind = "hosted").accept()
        assertTrue(assertInstanceOf(ChannelOutcome.HostedExists::class.java, outcome).message.isNotEmpty())
    }

    @Test
    fun `a declined offer is told to nobody`() = scene {
        val request = fetch()
        request.decline()
        assertEquals(ChannelRequestState.DECLINED, request.state())
        assertTrue(testbed.callbacks().isEmpty())
    }

    @Test
    fun `an LNURL can be encoded and decoded, shown and compared`() {
        val text = encodeLnurl("https://service.example/channel?secret=1")
        decodeLnurl(text).use { lnurl ->
            assertEquals("https://service.example/channel?secret=1", lnurl.url())
            assertEquals("service.example", lnurl.host())
            assertTrue("secret" !in lnurl.toString())
            decodeLnurl("lightning:$text").use { assertEquals(lnurl, it) }
        }
        assertEquals("[2001:db8::1]:9735", PeerAddress("02", "2001:db8::1", 9735u).socketAddress())
    }

    private companion object {
        /** `init_hosted_channel` without features. */
        const val INIT_BYTES = 4 * 8 + 2 + 2
    }
}
