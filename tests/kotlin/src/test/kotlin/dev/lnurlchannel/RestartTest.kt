package dev.lnurlchannel

import dev.lnurlchannel.support.Gate
import dev.lnurlchannel.support.PlainNode
import dev.lnurlchannel.support.Recorder
import dev.lnurlchannel.support.Testbed
import dev.lnurlchannel.support.awaitState
import dev.lnurlchannel.support.channel
import dev.lnurlchannel.support.failure
import dev.lnurlchannel.support.state
import dev.lnurlchannel.support.timed
import java.nio.file.Path
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir

/** A client that is shut down, and the one after it on the same folder. */
class RestartTest {
    private class Runs(val testbed: Testbed, private val folder: Path) {
        fun start(node: WalletNode = PlainNode()) =
            ChannelClient(node, Recorder(), testbed.config().copy(storageDir = "$folder"))

        suspend fun end(client: ChannelClient) {
            client.shutdown()
            client.close()
        }
    }

    private fun run(folder: Path, test: suspend Runs.() -> Unit) =
        Testbed().use { testbed -> timed { Runs(testbed, folder).test() } }

    @Test
    fun `a request that waits goes on after a restart, and asks nobody`(@TempDir folder: Path) = run(folder) {
        val first = start()
        val request = first.fetch(decodeLnurl(testbed.offer("OkAndNeverOpens")))
        coroutineScope {
            val call = async { failure<LnurlChannelException.Cancelled> { request.accept() } }
            request.awaitState(ChannelRequestState.AWAITING)
            end(first)
            call.await()
        }
        val left = request.snapshot()

        val second = start()
        val kept = second.requests().single()
        assertEquals(left.requestId, kept.requestId)
        assertEquals(left.offer, kept.offer)
        assertEquals(left.createdAtSeconds, kept.createdAtSeconds)
        assertEquals(ChannelRequestState.AWAITING, kept.state)
        assertFalse(kept.isRunning)
        val channel = testbed.channel()
        coroutineScope {
            val call = async { checkNotNull(second.request(kept.requestId)).accept() }
            assertEquals(ChannelVerdict.Expected(kept.requestId), second.reportIncomingChannel(channel))
            assertEquals(ChannelOutcome.Funded(channel), call.await())
        }
        end(second)

        val third = start()
        assertEquals(ChannelRequestState.ARRIVED, third.requests().single().state)
        val arrived = checkNotNull(third.request(kept.requestId))
        assertEquals(ChannelOutcome.Funded(channel), arrived.accept())
        arrived.dismiss()
        end(third)

        val fourth = start()
        assertTrue(fourth.requests().single().isDismissed)
        assertEquals(ChannelVerdict.Expected(kept.requestId), fourth.reportIncomingChannel(channel))
        end(fourth)
        assertEquals(1, testbed.callbacks().size)
    }

    @Test
    fun `a request that was connecting asks nobody after a restart, until the user agrees anew`(
        @TempDir folder: Path,
    ) = run(folder) {
        val connecting = Gate()
        val first = start(PlainNode(onConnect = { connecting.pass(); true }))
        val request = first.fetch(decodeLnurl(testbed.offer()))
        coroutineScope {
            val call = async { failure<LnurlChannelException.Cancelled> { request.accept() } }
            connecting.awaitReached()
            assertEquals(ChannelRequestState.CONNECTING, request.state)
            // The call ends at once; the shutdown waits for the node.
            val shutdown = async { end(first) }
            call.await()
            connecting.open()
            shutdown.await()
        }
        val second = start()
        assertEquals(ChannelRequestState.OFFERED, second.requests().single().state)
        assertTrue(testbed.callbacks().isEmpty())
        end(second)
    }

    @Test
    fun `after a shutdown nothing begins, and nothing is lost`(@TempDir folder: Path) = run(folder) {
        val client = start()
        val lnurl = decodeLnurl(testbed.offer())
        val request = client.fetch(lnurl)
        client.shutdown()
        failure<LnurlChannelException.Cancelled> { client.fetch(lnurl) }
        failure<LnurlChannelException.Cancelled> { request.accept() }
        failure<LnurlChannelException.Cancelled> { request.cancel() }
        assertEquals(ChannelRequestState.OFFERED, request.state)
        client.shutdown()
        client.close()
        assertThrows<IllegalStateException> { client.checkPeers() }
    }
}
