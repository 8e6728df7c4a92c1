package dev.lnurlchannel

import dev.lnurlchannel.support.PlainNode
import dev.lnurlchannel.support.Testbed
import dev.lnurlchannel.support.channel
import dev.lnurlchannel.support.scene
import dev.lnurlchannel.support.timed
import dev.lnurlchannel.testing.FakeChannelClient
import dev.lnurlchannel.testing.FakeChannelRequest
import dev.lnurlchannel.testing.fakeSnapshot
import java.nio.file.Path
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The requests as a flow. */
class ChannelRequestsTest {
    @Test
    fun `it shows each request as it stands, newest first, and those of earlier runs`(@TempDir folder: Path) {
        Testbed().use { testbed ->
            timed {
                val config = testbed.config().copy(storageDir = "$folder")
                val first = ChannelRequests()
                val client = ChannelClient(PlainNode(), first, config)
                first.follow(client)
                val older = client.accepted(testbed)
                val newer = client.accepted(testbed)
                assertEquals(listOf(newer, older), first.value.map { it.requestId })
                client.shutdown()

                val second = ChannelRequests()
                val next = ChannelClient(PlainNode(), second, config)
                assertTrue(second.value.isEmpty())
                second.follow(next)
                assertEquals(listOf(newer, older), second.value.map { it.requestId })
                assertEquals(setOf(ChannelRequestState.ARRIVED), second.value.map { it.state }.toSet())
                next.shutdown()
            }
        }
    }

    /** The id of a request whose channel arrived. */
    private suspend fun ChannelClient.accepted(testbed: Testbed): String = coroutineScope {
        val request = fetch(decodeLnurl(testbed.offer("OkAndNeverOpens")))
        val before = testbed.callbacks().size
        val call = async { request.accept() }
        testbed.awaitCallbacks(before + 1)
        reportIncomingChannel(testbed.channel(requests().size))
        call.await()
        request.requestId()
    }

    @Test
    fun `many requests at once end up in it as they stand`() {
        val requests = ChannelRequests()
        scene(listener = requests) {
            requests.follow(client)
            val calls = List(MANY) { scope.async { fetch("OkAndNeverOpens").accept() } }
            testbed.awaitCallbacks(MANY)
            List(MANY) { number ->
                scope.launch { client.reportIncomingChannel(testbed.channel(number)) }
            }.forEach { it.join() }
            calls.awaitAll()
            val shown = requests.first { shown ->
                shown.size == MANY && shown.all { it.state == ChannelRequestState.ARRIVED && !it.isRunning }
            }
            assertEquals(client.requests(), shown)
        }
    }

    @Test
    fun `no change is lost, whether it comes before, while or after it follows`() = timed {
        repeat(200) {
            val requests = ChannelRequests()
            val fakes = List(4) { FakeChannelRequest(fakeSnapshot()) }
            val client = FakeChannelClient(fakes, requests)
            val changes = fakes.map { fake ->
                launch {
                    repeat(10) { fake.becomes(fake.snapshot().copy(updatedAtSeconds = it.toULong())) }
                }
            }
            requests.follow(client)
            changes.forEach { it.join() }
            assertEquals(client.requests(), requests.value)
            assertEquals(List(4) { 11uL }, requests.value.map { it.revision })
        }
    }

    private companion object {
        const val MANY = 20
    }
}
