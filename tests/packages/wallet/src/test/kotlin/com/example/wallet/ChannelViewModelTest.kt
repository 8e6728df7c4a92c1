package com.example.wallet

import com.example.wallet.ChannelViewModel.Screen
import dev.lnurlchannel.ChannelConcern
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.ChannelStage
import dev.lnurlchannel.ChannelStep
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.testing.FakeChannelClient
import dev.lnurlchannel.testing.FakeChannelRequest
import dev.lnurlchannel.testing.FakeLnurl
import dev.lnurlchannel.testing.fakeChannel
import dev.lnurlchannel.testing.fakeFunded
import dev.lnurlchannel.testing.fakeSnapshot
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** The screen on the fakes, in virtual time. */
@OptIn(ExperimentalCoroutinesApi::class)
class ChannelViewModelTest {
    private class Started(
        val scope: TestScope,
        earlier: List<FakeChannelRequest>,
        /** Why no client can be made. */
        var failure: LnurlChannelException? = null,
        private val prepare: FakeChannelClient.() -> Unit = {},
    ) {
        lateinit var client: FakeChannelClient
        val model = ChannelViewModel(scope.backgroundScope, EmptyCoroutineContext, { FakeLnurl() }) { requests ->
            failure?.let { throw it }
            FakeChannelClient(earlier, requests).also {
                client = it
                requests.follow(it)
                it.prepare()
            }
        }

        init {
            model.start()
            scope.runCurrent()
        }

        fun shows(screen: Screen) {
            scope.runCurrent()
            assertEquals(screen, model.screen.value)
        }

        fun answers(isYes: Boolean) {
            scope.runCurrent()
            model.answer(isYes)
        }
    }

    private fun started(vararg earlier: FakeChannelRequest, test: Started.() -> Unit) =
        runTest { Started(this, earlier.toList()).test() }

    @Test
    fun `a channel comes after both questions, and an hour`() = started {
        val request = client.fetchReturns(after = 5.seconds)
        val concern = ChannelConcern.AnchorReserve(missingSat = 12_000uL)
        request.preflightReturns(listOf(concern))
        request.acceptReturns(fakeFunded(), after = 1.hours)
        request.awaitReadyReturns(fakeChannel(ChannelStage.READY))
        model.scanned("a code")
        shows(Screen.MayContact("service.example"))
        assertTrue(client.fetched.isEmpty(), "nothing is fetched before the user agrees")
        answers(true)
        scope.advanceTimeBy(5.seconds)
        val concerns = listOf("Your node needs 12000 sat more on chain before it takes this channel.")
        shows(Screen.MayAccept(request.snapshot().offer, concerns))
        assertTrue(request.accepts.isEmpty(), "nobody is asked before the user agrees")
        answers(true)
        shows(Screen.Waiting)
        request.becomes(request.snapshot().copy(state = ChannelRequestState.ARRIVED), ChannelStep.ARRIVED)
        scope.advanceTimeBy(1.hours)
        shows(Screen.Arrived(fakeChannel()))
        assertEquals(ChannelRequestState.ARRIVED, model.requests.value.single().state)
        assertEquals(3_605_000, scope.currentTime)
        assertEquals(listOf(1, 1), listOf(request.accepts.size, request.awaitsReady))
    }

    @Test
    fun `a no to either question asks nobody`() = started {
        val request = client.fetchReturns()
        model.scanned("a code")
        answers(false)
        shows(Screen.Empty)
        assertTrue(client.fetched.isEmpty())
        model.scanned("a code")
        answers(true)
        answers(false)
        shows(Screen.Empty)
        assertEquals(1, request.cancels)
        assertTrue(request.accepts.isEmpty())
    }

    @Test
    fun `what a service said is shown`() = started {
        client.fetchReturns().acceptThrows(LnurlChannelException.Refused("no liquidity"), after = 3.seconds)
        model.scanned("a code")
        answers(true)
        answers(true)
        shows(Screen.Waiting)
        scope.advanceTimeBy(3.seconds)
        shows(Screen.Failed("The service said no: no liquidity"))
    }

    @Test
    fun `without a client a code is not lost`() = runTest {
        val full = LnurlChannelException.StorageFailed("the disk is full")
        val started = Started(this, emptyList(), full) { fetchReturns() }
        started.shows(Screen.Failed("The request could not be stored. Is there room on this device?"))
        started.failure = null
        started.model.scanned("a code")
        started.answers(true)
        started.shows(Screen.MayAccept(fakeSnapshot().offer, emptyList()))
        assertEquals(1, started.client.fetched.size)
    }

    @Test
    fun `what an earlier run asked for is waited for`() {
        val earlier = FakeChannelRequest(fakeSnapshot(state = ChannelRequestState.AWAITING))
        val other = FakeChannelRequest(fakeSnapshot(state = ChannelRequestState.OFFERED))
        earlier.acceptReturns(fakeFunded(), after = 10.minutes)
        other.acceptReturns(fakeFunded(), after = Duration.INFINITE)
        started(earlier, other) {
            shows(Screen.Empty)
            scope.advanceTimeBy(10.minutes)
            shows(Screen.Arrived(fakeChannel()))
            assertEquals(listOf(1, 0), listOf(earlier.accepts.size, other.accepts.size))
        }
    }
}
