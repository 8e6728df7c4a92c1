package dev.lnurlchannel

import dev.lnurlchannel.support.PlainNode
import dev.lnurlchannel.support.Testbed
import dev.lnurlchannel.support.failure
import dev.lnurlchannel.support.proposal
import dev.lnurlchannel.support.timed
import dev.lnurlchannel.support.waitUntil
import java.nio.file.Path
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir

/** A client that is shut down, and the one after it on the same folder. */
class RestartTest {
    private fun run(folder: Path, test: suspend (Testbed, () -> ChannelClient) -> Unit) =
        Testbed().use { testbed ->
            timed { test(testbed) { ChannelClient(PlainNode(), testbed.config().copy(storageDir = "$folder")) } }
        }

    private suspend fun end(client: ChannelClient) {
        client.shutdown()
        client.close()
    }

    @Test
    fun `a request that waits is resumed after a restart`(@TempDir folder: Path) = run(folder) { testbed, start ->
        val first = start()
        val request = first.fetch(decodeLnurl(testbed.offer("OkAndNeverOpens")))
        val (id, offer, created) = Triple(request.requestId(), request.offer(), request.createdAtSeconds())
        coroutineScope {
            val call = async { failure<LnurlChannelException.Cancelled> { request.accept() } }
            testbed.awaitCallbacks(1)
            waitUntil("it awaits") { request.state() == ChannelRequestState.AWAITING }
            end(first)
            call.await()
        }

        val second = start()
        val kept = second.unfinishedRequests().single()
        assertEquals(id, kept.requestId())
        assertEquals(offer, kept.offer())
        assertEquals(created, kept.createdAtSeconds())
        assertEquals(ChannelRequestState.AWAITING, kept.state())
        val channel = testbed.proposal()
        assertEquals(ChannelVerdict.Expected(id), second.reportIncomingChannel(channel))
        end(second)

        val third = start()
        assertEquals(ChannelOutcome.Opening(channel), third.unfinishedRequests().single().resume())
        end(third)

        val fourth = start()
        assertTrue(fourth.unfinishedRequests().isEmpty())
        assertEquals(ChannelVerdict.Expected(id), fourth.reportIncomingChannel(channel))
        end(fourth)
        assertEquals(1, testbed.callbacks().size)
    }

    @Test
    fun `after a shutdown nothing begins, and nothing is lost`(@TempDir folder: Path) = run(folder) { testbed, start ->
        val client = start()
        val lnurl = decodeLnurl(testbed.offer())
        val request = client.fetch(lnurl)
        client.shutdown()
        failure<LnurlChannelException.Cancelled> { client.fetch(lnurl) }
        failure<LnurlChannelException.Cancelled> { request.accept() }
        failure<LnurlChannelException.Cancelled> { request.decline() }
        assertEquals(ChannelRequestState.OFFERED, request.state())
        client.shutdown()
        client.close()
        assertThrows<IllegalStateException> { client.checkPeers() }
    }
}
