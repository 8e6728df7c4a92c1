package dev.lnurlchannel

import dev.lnurlchannel.support.NODE_ID
import dev.lnurlchannel.support.Scene
import dev.lnurlchannel.support.awaitState
import dev.lnurlchannel.support.channel
import dev.lnurlchannel.support.scene
import dev.lnurlchannel.support.state
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

/** Every verdict, as a wallet gets it. */
class VerdictsTest {
    /** A request that was asked, and that nobody waits for. */
    private suspend fun Scene.asked(visibility: ChannelVisibility = ChannelVisibility.UNANNOUNCED): ChannelRequest {
        val request = fetch("OkAndNeverOpens")
        val call = scope.launch { request.accept(visibility) }
        request.awaitState(ChannelRequestState.AWAITING)
        call.cancelAndJoin()
        return request
    }

    @Test
    fun `a channel of the peer that was asked is Expected, and another one Duplicate`() = scene {
        val request = asked()
        val expected = ChannelVerdict.Expected(request.requestId())
        val proposal = testbed.channel(1, ChannelStage.PROPOSED)
        assertEquals(expected, client.reportIncomingChannel(proposal))
        val funded = testbed.channel(2).copy(formerChannelId = proposal.channelId)
        repeat(2) { assertEquals(expected, client.reportIncomingChannel(funded)) }
        assertEquals(ChannelRequestState.ARRIVED, request.state)
        val other = testbed.channel(3)
        repeat(2) { assertEquals(ChannelVerdict.Duplicate(request.requestId()), client.reportIncomingChannel(other)) }
        val ready = funded.copy(stage = ChannelStage.READY)
        assertEquals(expected, client.reportIncomingChannel(ready))
        assertEquals(ChannelRequestState.READY, request.state)
    }

    @Test
    fun `an announced channel that was not asked for is WrongVisibility`() = scene {
        val request = asked()
        val wrong = ChannelVerdict.WrongVisibility(request.requestId())
        val announced = testbed.channel(1, ChannelStage.PROPOSED).copy(isAnnounced = true)
        assertEquals(wrong, client.reportIncomingChannel(announced))
        assertEquals(ChannelRequestState.AWAITING, request.state)
        val expected = ChannelVerdict.Expected(request.requestId())
        assertEquals(expected, client.reportIncomingChannel(testbed.channel(2, ChannelStage.PROPOSED)))
    }

    @Test
    fun `a channel of a request that was cancelled is Unwanted`() = scene {
        val request = asked()
        request.cancel()
        val unwanted = ChannelVerdict.Unwanted(request.requestId())
        assertEquals(unwanted, client.reportIncomingChannel(testbed.channel()))
    }

    @Test
    fun `a channel of another peer is Unrequested`() = scene {
        asked()
        val other = testbed.channel().copy(peerId = NODE_ID)
        assertEquals(ChannelVerdict.Unrequested, client.reportIncomingChannel(other))
    }

    @Test
    fun `a channel that is closed before it is ready is lost, and the next one arrives`() = scene {
        val request = asked()
        val lost = testbed.channel(1)
        client.reportIncomingChannel(lost)
        client.reportChannelClosed(lost.peerId, lost.channelId)
        assertEquals(ChannelRequestState.AWAITING, request.state)
        client.reportIncomingChannel(testbed.channel(2))
        assertEquals(ChannelRequestState.ARRIVED, request.state)
        assertEquals(testbed.channel(2), request.snapshot().channel)
    }
}
