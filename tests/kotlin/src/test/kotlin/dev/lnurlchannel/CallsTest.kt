package dev.lnurlchannel

import com.sun.jna.NativeLibrary
import com.sun.jna.Platform
import dev.lnurlchannel.support.LIBRARY
import dev.lnurlchannel.support.Recorder
import dev.lnurlchannel.support.TestWallet
import dev.lnurlchannel.support.Testbed
import dev.lnurlchannel.support.child
import dev.lnurlchannel.support.shim
import dev.lnurlchannel.support.timed
import dev.lnurlchannel.support.waitUntil
import java.util.concurrent.ConcurrentSkipListMap
import java.util.concurrent.atomic.AtomicReference
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/**
 * How often a whole flow crosses between the wallet and the library: each crossing costs some 20 to 30
 * microseconds on the JVM, more on a phone, and what grows by itself would go unseen.
 */
class CallsTest {
    @Test
    fun `a funded flow calls the wallet once for each thing it needs`() {
        val flow = flow("channel").also(::println)
        assertEquals(mapOf("connect" to 1, "nodeId" to 1, "readiness" to 1), flow.node)
        assertTrue(flow.listener <= FUNDED_STEPS, "$flow")
    }

    @Test
    fun `a hosted flow calls the wallet once for each thing it needs`() {
        val flow = flow("hosted").also(::println)
        val expected = mapOf("connect" to 1, "nodeId" to 1, "readiness" to 1, "refund" to 1, "send" to 1)
        assertEquals(expected, flow.node)
        assertTrue(flow.listener <= HOSTED_STEPS, "$flow")
    }

    @Test
    fun `a flow calls the library seldom`() {
        if (!CAN_COUNT) return println("calls into the library are counted on Linux on x86_64 only")
        val counting = shim("calls", "bash", "../shims/calls.sh", "$LIBRARY")
        val lines = child(
            CountedFlows::class,
            "-Duniffi.component.lnurl_channel.libraryOverride=$counting",
            environment = mapOf("CALLS_LIBRARY" to "$LIBRARY"),
        )
        lines.forEach(::println)
        val counts = lines.associate {
            it.substringBefore(" ") to it.substringAfter("library=").substringBefore(")").toLong()
        }
        assertEquals(setOf("channel", "hosted"), counts.keys)
        assertTrue(counts.getValue("channel") in 1..FUNDED_CALLS, "$counts")
        assertTrue(counts.getValue("hosted") in 1..HOSTED_CALLS, "$counts")
    }

    private companion object {
        val CAN_COUNT = Platform.isLinux() && Platform.isIntel() && Platform.is64Bit()

        /** 6 were seen, and 4 of a hosted flow; no flow has more changes than this to tell of. */
        const val FUNDED_STEPS = 10
        const val HOSTED_STEPS = 8

        /**
         * 46 were seen with 6 changes, and 40 with 4 of a hosted flow: what the wallet calls itself, each
         * with the handle of its object; five or six for a call that waits; two buffers for each method
         * of the node, and two for each change that the listener hears of. The rest is room for the
         * changes above, and for what the garbage collector lets go of meanwhile.
         */
        const val FUNDED_CALLS = 56L
        const val HOSTED_CALLS = 50L
    }
}

/** Each flow, in a process whose library counts its calls. */
object CountedFlows {
    private val counting = NativeLibrary.getInstance(System.getProperty("uniffi.component.lnurl_channel.libraryOverride"))

    fun soFar(): Long = counting.getFunction("calls_so_far").invokeLong(emptyArray())

    @JvmStatic
    fun main(arguments: Array<String>) {
        for (kind in listOf("channel", "hosted")) println("$kind ${flow(kind, ::soFar)}")
    }
}

private data class Flow(val node: Map<String, Int>, val listener: Int, val library: Long)

/** From the scanned text to the channel, and until the listener has heard of the call's end. */
private fun flow(kind: String, libraryCalls: () -> Long = { 0 }): Flow {
    val result = AtomicReference<Flow>()
    Testbed().use { testbed ->
        TestWallet(testbed).use { wallet ->
            timed {
                val recorder = Recorder()
                val node = CountedNode(wallet)
                val client = ChannelClient(node, recorder, testbed.config())
                wallet.reportTo(client)
                val text = testbed.offer(kind = kind)
                val before = libraryCalls()
                val request = client.fetch(decodeLnurl(text))
                request.accept()
                waitUntil("the end of the call is told") {
                    val last = recorder.changes.lastOrNull()?.request
                    last?.state == ChannelRequestState.ARRIVED && !last.isRunning
                }
                result.set(Flow(node.calls.toMap(), recorder.changes.size, libraryCalls() - before))
                client.shutdown()
            }
        }
    }
    return result.get()
}

/** [node], and how often each of its methods was called. */
private class CountedNode(private val node: WalletNode) : WalletNode {
    val calls = ConcurrentSkipListMap<String, Int>()

    override fun nodeId(): String = counted("nodeId") { node.nodeId() }

    override fun readiness(peer: PeerAddress): NodeReadiness = counted("readiness") { node.readiness(peer) }

    override fun connect(peer: PeerAddress): Boolean = counted("connect") { node.connect(peer) }

    override fun releasePeer(peer: PeerAddress): Unit = counted("releasePeer") { node.releasePeer(peer) }

    override fun sendPeerMessage(peerId: String, messageType: UShort, payload: ByteArray): Boolean =
        counted("send") { node.sendPeerMessage(peerId, messageType, payload) }

    override fun refundScriptPubkey(requestId: String): ByteArray =
        counted("refund") { node.refundScriptPubkey(requestId) }

    private fun <T> counted(method: String, call: () -> T): T {
        calls.merge(method, 1, Int::plus)
        return call()
    }
}
