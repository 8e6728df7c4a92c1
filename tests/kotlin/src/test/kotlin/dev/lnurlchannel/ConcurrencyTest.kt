package dev.lnurlchannel

import dev.lnurlchannel.support.Gate
import dev.lnurlchannel.support.NODE_ID
import dev.lnurlchannel.support.P2WPKH
import dev.lnurlchannel.support.PlainNode
import dev.lnurlchannel.support.Recorder
import dev.lnurlchannel.support.await
import dev.lnurlchannel.support.channel
import dev.lnurlchannel.support.scene
import dev.lnurlchannel.support.thrownBy
import dev.lnurlchannel.support.waitUntil
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicReference
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
        val recorder = Recorder()
        Executors.newFixedThreadPool(MANY).asCoroutineDispatcher().use { threads ->
            scene(listener = recorder) {
                val calls = List(MANY) {
                    scope.async(threads) {
                        val request = fetch("OkAndNeverOpens")
                        request.requestId() to request.accept()
                    }
                }
                testbed.awaitCallbacks(MANY)
                val verdicts = List(MANY) { number ->
                    scope.async(threads) { client.reportIncomingChannel(testbed.channel(number)) }
                }.awaitAll()

                val ids = verdicts.map { assertInstanceOf(ChannelVerdict.Expected::class.java, it).requestId }
                val outcomes = calls.awaitAll().toMap()
                assertEquals(MANY, ids.toSet().size, "each channel is somebody's")
                ids.forEachIndexed { number, id ->
                    assertEquals(ChannelOutcome.Funded(testbed.channel(number)), outcomes[id])
                }
                assertEquals(MANY, testbed.callbacks().size)
                assertEquals(ids.toSet(), listed().toSet())
                for (snapshot in client.requests()) {
                    waitUntil("the last is told") { recorder.of(snapshot.requestId).last().request == snapshot }
                    val revisions = recorder.of(snapshot.requestId).map { it.request.revision }
                    assertEquals(revisions.sorted().distinct(), revisions)
                }
            }
        }
    }

    /** A client that is called from within its own callbacks. */
    private class Known {
        val client = AtomicReference<ChannelClient>()
        val failures = ConcurrentLinkedQueue<Throwable>()

        /** What a wallet may call from within a callback. */
        fun peek() {
            runCatching {
                val client = checkNotNull(client.get())
                for (snapshot in client.requests()) {
                    checkNotNull(client.request(snapshot.requestId)).use(ChannelRequest::snapshot)
                }
                client.checkPeers()
                val stranger = IncomingChannel(NODE_ID, ChannelStage.FUNDED, "07".repeat(32))
                check(client.reportIncomingChannel(stranger) == ChannelVerdict.Unrequested)
                check(!client.reportPeerMessage(NODE_ID, 65533u, byteArrayOf()))
                client.reportPeerConnection(NODE_ID, true)
                client.reportChannelClosed(NODE_ID, stranger.channelId)
            }.onFailure { failures += it }
        }
    }

    @Test
    fun `every callback may call the client`() {
        val known = Known()
        val node = PlainNode(
            onNodeId = { known.peek(); NODE_ID },
            onReadiness = { known.peek(); NodeReadiness(channelIds = emptyList()) },
            onConnect = { known.peek(); true },
            onRelease = { known.peek() },
            onSend = { known.peek(); true },
            onScript = { known.peek(); P2WPKH },
        )
        for (kind in listOf("channel", "hosted")) {
            scene(node, Recorder { _, _ -> known.peek() }, { hastyConfig() }) {
                known.client.set(client)
                val request = fetch("OkAndNeverOpens", "SilentHost", kind = kind)
                thrownBy<LnurlChannelException.NoChannel> { request.accept() }
                request.cancel()
            }
        }
        assertTrue(known.failures.isEmpty()) { known.failures.first().stackTraceToString() }
    }

    @Test
    fun `a listener may report, pause, cancel and shut down`() {
        fun one(client: ChannelClient) = checkNotNull(client.request(client.requests().single().requestId))
        val doings = listOf<(ChannelClient, IncomingChannel) -> Unit>(
            { client, channel -> client.reportIncomingChannel(channel) },
            { client, _ -> one(client).use { it.pause() } },
            { client, _ -> one(client).use { runBlocking { it.cancel() } } },
            { client, _ -> runBlocking { client.shutdown() } },
        )
        val ends = doings.map { doing ->
            val client = AtomicReference<ChannelClient>()
            val channel = AtomicReference<IncomingChannel>()
            val begun = AtomicBoolean()
            val done = CountDownLatch(1)
            val recorder = Recorder { request, _ ->
                if (request.state == ChannelRequestState.AWAITING && begun.compareAndSet(false, true)) {
                    doing(client.get(), channel.get())
                    done.countDown()
                }
            }
            var end: Result<ChannelOutcome>? = null
            scene(listener = recorder) {
                client.set(this.client)
                channel.set(testbed.channel())
                end = runCatching { fetch("OkAndNeverOpens").accept() }
                await(done)
            }
            end
        }
        assertInstanceOf(ChannelOutcome.Funded::class.java, ends.first()?.getOrThrow())
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
        client.reportIncomingChannel(testbed.channel())
        assertInstanceOf(ChannelOutcome.Funded::class.java, call.await())
        thrownBy<IllegalStateException> { request.snapshot() }
    }
}
