package dev.lnurlchannel

import dev.lnurlchannel.support.Gate
import dev.lnurlchannel.support.Recorder
import dev.lnurlchannel.support.awaitState
import dev.lnurlchannel.support.channel
import dev.lnurlchannel.support.scene
import dev.lnurlchannel.support.waitUntil
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicReference
import kotlinx.coroutines.async
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What a listener is told, and when. */
class ListenerTest {
    @Test
    fun `the client lists by then what the listener is told, which comes one by one`() {
        val client = AtomicReference<ChannelClient>()
        val inside = AtomicInteger()
        val faults = ConcurrentLinkedQueue<String>()
        val recorder = Recorder { told, step ->
            if (inside.incrementAndGet() > 1) faults += "two at once at $step"
            val listed = client.get().requests().single()
            if (listed.revision < told.revision) faults += "$listed is older than $told"
            inside.decrementAndGet()
        }
        suspend fun told(step: ChannelStep) = waitUntil("$step") { recorder.changes.any { it.step == step } }
        scene(listener = recorder) {
            client.set(this.client)
            val request = fetch("OkAndNeverOpens")
            val call = scope.async { request.accept() }
            told(ChannelStep.AGREED)
            val proposal = testbed.channel(1, ChannelStage.PROPOSED)
            this.client.reportIncomingChannel(proposal)
            told(ChannelStep.PROPOSED)
            this.client.reportIncomingChannel(testbed.channel(2).copy(formerChannelId = proposal.channelId))
            call.await()
            waitUntil("the last is told") { recorder.changes.last().request == request.snapshot() }
            val revisions = recorder.changes.map { it.request.revision }
            assertEquals(revisions.sorted().distinct(), revisions)
            val steps = recorder.changes.map { it.step }
            val known = listOf(
                ChannelStep.CONNECTING, ChannelStep.REQUESTING, ChannelStep.AGREED,
                ChannelStep.PROPOSED, ChannelStep.ARRIVED,
            )
            assertEquals(known, steps.filter { it in known })
            assertFalse(recorder.changes.last().request.isRunning)
        }
        assertTrue(faults.isEmpty()) { faults.first() }
    }

    @Test
    fun `a slow listener gets the last snapshot, and no call for each report`() {
        val gate = Gate()
        val recorder = Recorder { _, _ -> gate.pass() }
        scene(listener = recorder) {
            val request = fetch("OkAndNeverOpens")
            val call = scope.async { request.accept() }
            gate.awaitReached()
            request.awaitState(ChannelRequestState.AWAITING)
            repeat(REPORTS) { client.reportPeerConnection(testbed.targetId, it % 2 == 1) }
            client.reportIncomingChannel(testbed.channel())
            call.await()
            gate.open()
            waitUntil("the last is told") { recorder.changes.last().request == request.snapshot() }
            assertTrue(recorder.changes.size < REPORTS / 10, "${recorder.changes.size} calls")
        }
    }

    @Test
    fun `a request that is not accepted is not told of`() {
        val recorder = Recorder()
        scene(listener = recorder) {
            fetch().cancel()
            client.shutdown()
            assertTrue(recorder.changes.isEmpty())
        }
    }

    private companion object {
        const val REPORTS = 1_000
    }
}
