package dev.lnurlchannel.testing

import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.ChannelRequest
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.ChannelRequestState.AWAITING
import dev.lnurlchannel.ChannelRequestState.CANCELLED
import dev.lnurlchannel.ChannelRequestState.REFUSED
import dev.lnurlchannel.ChannelStage
import dev.lnurlchannel.ChannelVerdict
import dev.lnurlchannel.IncomingChannel
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.support.proposal
import dev.lnurlchannel.support.scene
import dev.lnurlchannel.support.timed
import dev.lnurlchannel.support.waitUntil
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.EnumSource

/** Which request a channel arrives at: the same stories, told to the fake and to the library. */
class FakeMatchingTest {
    enum class Story(vararg val end: String, val tell: suspend Wallet.() -> Unit) {
        GROWS_UP("Expected 0", "Expected 0", "Expected 0", "ARRIVED 2", "AWAITING", tell = {
            requests(AWAITING, AWAITING)
            report(1)
            report(1, ChannelStage.FUNDED)
            report(2, ChannelStage.FUNDED, former = 1)
        }),
        AFTER_A_REFUSAL("Expected 1", "Expected 0", "Duplicate 0", "ARRIVED 2", "ARRIVED 1", tell = {
            requests(REFUSED, AWAITING)
            report(1, ChannelStage.FUNDED)
            report(2, ChannelStage.FUNDED)
            report(3, ChannelStage.FUNDED)
        }),
        TOLD_AGAIN("Expected 0", "Expected 1", "Expected 0", "Expected 1", "ARRIVED 1", "ARRIVED 2", tell = {
            requests(AWAITING, AWAITING)
            for (number in listOf(1, 2, 1, 2)) report(number, ChannelStage.FUNDED)
        }),
        CANCELLED_SINCE("Unwanted 1", "REFUSED", "CANCELLED", tell = {
            requests(REFUSED, CANCELLED)
            report(1)
        }),
        CANCELLED_BEFORE("Expected 2", "Unwanted 0", "CANCELLED", "CANCELLED", "ARRIVED 1", tell = {
            requests(CANCELLED, CANCELLED, REFUSED)
            report(1, ChannelStage.FUNDED)
            report(2, ChannelStage.FUNDED)
        }),
        OF_BEFORE("Unrequested", "Unrequested", "Expected 0", "ARRIVED 2", tell = {
            report(1)
            requests(AWAITING)
            report(1, ChannelStage.FUNDED)
            report(2)
        }),
        ANOTHER_PROPOSAL("Expected 0", "Expected 0", "Expected 0", "ARRIVED 2", tell = {
            requests(AWAITING)
            report(1)
            report(2)
            report(1)
        }),
        FUNDED_STAYS("Expected 0", "Expected 0", "Duplicate 0", "Expected 0", "ARRIVED 2", tell = {
            requests(AWAITING)
            report(1)
            report(2, ChannelStage.FUNDED)
            report(3)
            report(1)
        }),
        FAILED("Expected 0", "Expected 0", "ARRIVED 2", "AWAITING", tell = {
            requests(AWAITING, AWAITING)
            report(2, former = 1)
            fails(1)
            report(2, ChannelStage.FUNDED)
        }),
        SHUT_DOWN("Unrequested", "AWAITING", tell = {
            requests(AWAITING)
            client.shutdown()
            report(1)
        }),
    }

    class Wallet(
        val client: ChannelClient,
        private val proposal: (Int) -> IncomingChannel,
        private val request: suspend (ChannelRequestState) -> ChannelRequest,
    ) {
        private val requests = mutableListOf<ChannelRequest>()
        private val verdicts = mutableListOf<String>()

        suspend fun requests(vararg states: ChannelRequestState) {
            for (state in states) requests += request(state).also { assertEquals(state, it.state()) }
        }

        fun report(number: Int, stage: ChannelStage = ChannelStage.PROPOSED, former: Int? = null) {
            val former = former?.let { proposal(it).channelId }
            val channel = proposal(number).copy(stage = stage, formerChannelId = former)
            verdicts += when (val verdict = client.reportIncomingChannel(channel)) {
                is ChannelVerdict.Expected -> "Expected ${number(verdict.requestId)}"
                is ChannelVerdict.Duplicate -> "Duplicate ${number(verdict.requestId)}"
                is ChannelVerdict.Unwanted -> "Unwanted ${number(verdict.requestId)}"
                else -> verdict.javaClass.simpleName
            }
        }

        fun fails(number: Int) {
            val channel = proposal(number)
            client.reportChannelFailed(channel.peerId, channel.channelId)
        }

        /** The verdicts, and where the requests stand. */
        fun end(): List<String> = verdicts + requests.map { request ->
            val channel = (request.outcome() as? ChannelOutcome.Opening)?.channel
            listOfNotNull(request.state(), channel?.channelId?.trimStart('0')).joinToString(" ")
        }

        private fun number(requestId: String) = requests.indexOfFirst { it.requestId() == requestId }
    }

    @ParameterizedTest
    @EnumSource
    fun `the fake tells it so`(story: Story) = timed {
        val client = FakeChannelClient()
        val wallet = Wallet(client, { fakeChannel(channelId = "%064x".format(it)) }) { state ->
            client.offer(FakeChannelRequest {
                asking()
                if (state == REFUSED) fail(LnurlChannelException.Refused("no")) else agree()
            })
            brought(client.fetch(FakeLnurl()), state)
        }
        wallet.(story.tell)()
        assertEquals(story.end.toList(), wallet.end())
    }

    @ParameterizedTest
    @EnumSource
    fun `and so does the library`(story: Story) = scene {
        val wallet = Wallet(client, testbed::proposal) { state ->
            scope.brought(fetch(if (state == REFUSED) "ErrorAnswer" else "OkAndNeverOpens"), state)
        }
        wallet.(story.tell)()
        assertEquals(story.end.toList(), wallet.end())
    }

    private suspend fun CoroutineScope.brought(request: ChannelRequest, to: ChannelRequestState) = request.also {
        val call = launch { runCatching { request.accept() } }
        waitUntil("it is asked") { request.state() in setOf(AWAITING, REFUSED) }
        if (to == CANCELLED) request.cancel()
        call.cancelAndJoin()
    }
}
