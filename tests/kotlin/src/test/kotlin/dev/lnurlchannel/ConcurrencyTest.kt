package dev.lnurlchannel

import dev.lnurlchannel.support.Gate
import dev.lnurlchannel.support.NODE_ID
import dev.lnurlchannel.support.P2WPKH
import dev.lnurlchannel.support.PlainNode
import dev.lnurlchannel.support.await
import dev.lnurlchannel.support.proposal
import dev.lnurlchannel.support.scene
import dev.lnurlchannel.support.thrownBy
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executors
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Many calls at once, from everywhere. */
class ConcurrencyTest {
    private companion object {
        const val MANY = 50
    }

    @Test
    fun `fifty requests at once, from as many threads`() {
        val events = ConcurrentHashMap<String, ConcurrentLinkedQueue<ChannelEvent>>()
        val node = PlainNode(onEvent = { id, event -> events.getOrPut(id, ::ConcurrentLinkedQueue) += event })
        Executors.newFixedThreadPool(MANY).asCoroutineDispatcher().use { threads ->
            scene(node) {
                val calls = List(MANY) {
                    scope.async(threads) {
                        val request = fetch("OkAndNeverOpens")
                        request.requestId() to request.accept()
                    }
                }
                testbed.awaitCallbacks(MANY)
                val verdicts = List(MANY) { number ->
                    scope.async(threads) { client.reportIncomingChannel(testbed.proposal(number)) }
                }.awaitAll()

                val ids = verdicts.map { assertInstanceOf(ChannelVerdict.Expected::class.java, it).requestId }
                val outcomes = calls.awaitAll().toMap()
                assertEquals(MANY, ids.toSet().size, "each channel is somebody's")
                ids.forEachIndexed { number, id ->
                    assertEquals(ChannelOutcome.Opening(testbed.proposal(number)), outcomes[id])
                }
                assertEquals(MANY, testbed.callbacks().size)
                assertTrue(unfinished().isEmpty())
                for (of in events.values.map { it.toList() }) {
                    assertInstanceOf(ChannelEvent.Connecting::class.java, of.first())
                    assertInstanceOf(ChannelEvent.Requesting::class.java, of[1])
                    assertInstanceOf(ChannelEvent.Arrived::class.java, of.last())
                }
            }
        }
    }

    @Test
    fun `two calls to accept at once ask once`() = scene {
        val request = fetch("OkAndNeverOpens")
        val calls = List(8) { scope.async { runCatching { request.accept() } } }
        testbed.awaitCallbacks(1)
        client.reportIncomingChannel(testbed.proposal())
        val results = calls.awaitAll()
        assertEquals(1, results.count { it.isSuccess })
        for (result in results) {
            result.onFailure { assertInstanceOf(LnurlChannelException.WrongState::class.java, it) }
        }
        assertEquals(1, testbed.callbacks().size)
    }

    /** A client that its own node calls into. */
    private class Known {
        lateinit var client: ChannelClient
        val failures = ConcurrentLinkedQueue<Throwable>()

        /** What a wallet may call from within a callback. */
        fun peek() {
            runCatching {
                for (request in client.unfinishedRequests()) {
                    request.use { checkNotNull(client.request(it.requestId())).use(ChannelRequest::state) }
                }
                client.checkPeers()
                val stranger = IncomingChannel(NODE_ID, "07".repeat(32))
                check(client.reportIncomingChannel(stranger) == ChannelVerdict.Unrequested)
                check(!client.reportPeerMessage(NODE_ID, 65533u, byteArrayOf()))
                client.reportChannelFailed(NODE_ID, stranger.channelId)
            }.onFailure { failures += it }
        }
    }

    @Test
    fun `every callback may call the client`() {
        val known = Known()
        val node = PlainNode(
            onNodeId = { known.peek(); NODE_ID },
            onConnect = { known.peek(); true },
            onSend = { known.peek(); true },
            onScript = { known.peek(); P2WPKH },
            onEvent = { _, _ -> known.peek() },
        )
        for (kind in listOf("channel", "hosted")) {
            scene(node, { hastyConfig() }) {
                known.client = client
                thrownBy<LnurlChannelException.NoChannel> { fetch("OkAndNeverOpens", kind = kind).accept() }
            }
        }
        assertTrue(known.failures.isEmpty()) { known.failures.first().stackTraceToString() }
    }

    @Test
    fun `an event may report, pause and shut down`() {
        val doings = listOf<(ChannelClient, IncomingChannel) -> Unit>(
            { client, channel -> client.reportIncomingChannel(channel) },
            { client, _ -> client.unfinishedRequests().single().use { check(it.pause()) } },
            { client, _ -> client.unfinishedRequests().single().use { runBlocking { it.cancel() } } },
            { client, _ -> runBlocking { client.shutdown() } },
        )
        val ends = doings.map { doing ->
            val known = Known()
            var channel: IncomingChannel? = null
            val done = CountDownLatch(1)
            val node = PlainNode(onEvent = { _, event ->
                if (event is ChannelEvent.AwaitingChannel) {
                    doing(known.client, checkNotNull(channel))
                    done.countDown()
                }
            })
            var end: Result<ChannelOutcome>? = null
            scene(node) {
                known.client = client
                channel = testbed.proposal()
                end = runCatching { fetch("OkAndNeverOpens").accept() }
                await(done)
            }
            end
        }
        assertInstanceOf(ChannelOutcome.Opening::class.java, ends.first()?.getOrThrow())
        for (end in ends.drop(1)) {
            assertInstanceOf(LnurlChannelException.Cancelled::class.java, end?.exceptionOrNull())
        }
    }

    @Test
    fun `shutdown while calls run`() {
        val gate = Gate()
        val inCallback = ConcurrentLinkedQueue<String>()
        val node = PlainNode(onConnect = {
            inCallback += "connect"
            gate.pass()
            inCallback -= "connect"
            true
        })
        scene(node) {
            val calls = List(10) {
                scope.async { thrownBy<LnurlChannelException.Cancelled> { fetch("OkAndNeverOpens").accept() } }
            }
            gate.awaitReached()
            val shutdowns = List(3) { scope.launch { client.shutdown() } }
            calls.awaitAll()
            gate.open()
            shutdowns.forEach { it.join() }
            assertTrue(inCallback.isEmpty(), "no callback runs afterwards")
        }
    }

    @Test
    fun `a close while calls run lets them end`() = scene {
        val request = fetch("OkAndNeverOpens")
        val call = scope.async { request.accept() }
        testbed.awaitCallbacks(1)
        request.close()
        client.reportIncomingChannel(testbed.proposal())
        assertInstanceOf(ChannelOutcome.Opening::class.java, call.await())
        thrownBy<IllegalStateException> { request.state() }
    }
}
