package dev.lnurlchannel

import dev.lnurlchannel.support.PlainNode
import dev.lnurlchannel.support.Recorder
import dev.lnurlchannel.support.awaitState
import dev.lnurlchannel.support.channel
import dev.lnurlchannel.support.failure
import dev.lnurlchannel.support.scene
import dev.lnurlchannel.support.state
import dev.lnurlchannel.support.waitUntil
import java.io.IOException
import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.async
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.EnumSource

/** What the wallet's code may throw, at every place where it is called: contained, and named. */
class ThrowingNodeTest {
    enum class Sort(val named: String, val raise: () -> Nothing) {
        TYPED("radio off", { throw WalletNodeException.Failed("radio off") }),
        RUNTIME("java.lang.IllegalStateException: a bug", { throw IllegalStateException("a bug\nat length") }),
        CHECKED("java.io.IOException: a bug", { throw IOException("a bug") }),
        CANCELLATION("CancellationException", { throw CancellationException("gone") }),
        ERROR("kotlin.NotImplementedError", { TODO("a bug") }),
        MEMORY("java.lang.OutOfMemoryError: Java heap space", { throw OutOfMemoryError("Java heap space") }),
        STACK("java.lang.StackOverflowError", { dig(0) }),
        SHRUNK("java.lang.NoClassDefFoundError: gone", { throw NoClassDefFoundError("gone") }),
        MUTE("MuteError", { throw MuteError() }),
    }

    /** An error whose text fails as well. */
    private class MuteError : Error() {
        override fun toString(): String = throw UnsupportedOperationException()
    }

    private val methods = mapOf<String, (Sort) -> PlainNode>(
        "node_id" to { sort -> PlainNode(onNodeId = { sort.raise() }) },
        "readiness" to { sort -> PlainNode(onReadiness = { sort.raise() }) },
        "connect" to { sort -> PlainNode(onConnect = { sort.raise() }) },
        "send_peer_message" to { sort -> PlainNode(onSend = { sort.raise() }) },
        "refund_script_pubkey" to { sort -> PlainNode(onScript = { sort.raise() }) },
    )

    @ParameterizedTest
    @EnumSource
    fun `thrown by a method that a call needs, it fails the call and is named`(sort: Sort) {
        for ((method, node) in methods) scene(node(sort)) {
            val request = fetch(kind = "hosted")
            repeat(2) {
                val error = failure<LnurlChannelException.NodeFailed> { request.accept() }
                assertTrue(sort.named in error.reason, "$method: ${error.reason}")
                assertTrue("\n" !in error.reason, error.reason)
                assertEquals(ChannelRequestState.OFFERED, request.state)
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    fun `thrown by release_peer, it changes nothing`(sort: Sort) {
        val released = AtomicInteger()
        val node = PlainNode(onRelease = { released.incrementAndGet(); sort.raise() })
        scene(node) {
            val request = fetch("OkAndNeverOpens")
            val call = scope.async { failure<LnurlChannelException.Cancelled> { request.accept() } }
            request.awaitState(ChannelRequestState.AWAITING)
            request.cancel()
            call.await()
            waitUntil("the peer is released") { released.get() == 1 }
            assertEquals(ChannelRequestState.CANCELLED, request.state)
        }
        assertEquals(1, released.get(), "once")
    }

    @ParameterizedTest
    @EnumSource
    fun `thrown by the listener, it changes nothing`(sort: Sort) {
        val recorder = Recorder { _, _ -> sort.raise() }
        scene(listener = recorder) {
            val request = fetch("OkAndNeverOpens")
            val call = scope.async { request.accept() }
            request.awaitState(ChannelRequestState.AWAITING)
            client.reportIncomingChannel(testbed.channel())
            assertInstanceOf(ChannelOutcome.Funded::class.java, call.await())
            waitUntil("all is told") { recorder.changes.last().request == request.snapshot() }
        }
    }
}

/** Until there is no stack left. */
private fun dig(depth: Long): Nothing {
    dig(depth + 1)
}
