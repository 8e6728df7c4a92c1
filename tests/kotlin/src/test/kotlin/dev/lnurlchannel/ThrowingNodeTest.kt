package dev.lnurlchannel

import com.sun.jna.Native
import dev.lnurlchannel.support.PlainNode
import dev.lnurlchannel.support.failure
import dev.lnurlchannel.support.proposal
import dev.lnurlchannel.support.scene
import java.io.IOException
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.async
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.EnumSource

/** What the wallet's code may throw, at every place where it is called. */
class ThrowingNodeTest {
    enum class Sort(val named: String, val raise: () -> Nothing) {
        RUNTIME("java.lang.IllegalStateException: a bug", { throw IllegalStateException("a bug\nat length") }),
        CHECKED("java.io.IOException: a bug", { throw IOException("a bug") }),
        CANCELLATION("CancellationException", { throw CancellationException("gone") }),
        ERROR("kotlin.NotImplementedError", { TODO("a bug") }),
        MEMORY("java.lang.OutOfMemoryError: Java heap space", { throw OutOfMemoryError("Java heap space") }),
        STACK("java.lang.StackOverflowError", { dig(0) }),
        SHRUNK("java.lang.NoClassDefFoundError: gone", { throw NoClassDefFoundError("gone") }),
        MUTE("MuteError", { throw MuteError() });

        val isError get() = this in setOf(ERROR, MEMORY, STACK, SHRUNK, MUTE)
    }

    /** An error whose text fails as well. */
    private class MuteError : Error() {
        override fun toString(): String = throw UnsupportedOperationException()
    }

    private val methods = mapOf<String, (Sort) -> PlainNode>(
        "node_id" to { sort -> PlainNode(onNodeId = { sort.raise() }) },
        "connect" to { sort -> PlainNode(onConnect = { sort.raise() }) },
        "send_peer_message" to { sort -> PlainNode(onSend = { sort.raise() }) },
        "refund_script_pubkey" to { sort -> PlainNode(onScript = { sort.raise() }) },
    )

    /** JNA prints what a callback throws; these are meant to be thrown. */
    @BeforeEach
    fun silence() = Native.setCallbackExceptionHandler { _, _ -> }

    @AfterEach
    fun speak() = Native.setCallbackExceptionHandler(null)

    @ParameterizedTest
    @EnumSource
    fun `without a guard it fails the node`(sort: Sort) {
        for ((method, node) in methods) {
            failsTheNode(node(sort), if (sort.isError) "" else sort.named, method)
        }
    }

    @ParameterizedTest
    @EnumSource
    fun `with a guard the reason names it`(sort: Sort) {
        for ((method, node) in methods) failsTheNode(node(sort).guarded(), sort.named, method)
    }

    private fun failsTheNode(node: WalletNode, named: String, method: String) = scene(node) {
        val request = fetch(kind = "hosted")
        repeat(2) {
            val error = failure<LnurlChannelException.NodeFailed> { request.accept() }
            assertTrue(named in error.reason, "$method: ${error.reason}")
            assertTrue("\n" !in error.reason, error.reason)
            assertEquals(ChannelRequestState.OFFERED, request.state())
        }
        assertTrue(unfinished().isEmpty())
    }

    @ParameterizedTest
    @EnumSource
    fun `thrown by the listener it changes nothing`(sort: Sort) {
        for (guarded in listOf(false, true)) {
            val node = PlainNode(onEvent = { _, _ -> sort.raise() })
            scene(if (guarded) node.guarded() else node) {
                val request = fetch("OkAndNeverOpens")
                val call = scope.async { request.accept() }
                testbed.awaitCallbacks(1)
                client.reportIncomingChannel(testbed.proposal())
                assertInstanceOf(ChannelOutcome.Opening::class.java, call.await())
                assertInstanceOf(ChannelEvent.Connecting::class.java, node.events.first())
                assertInstanceOf(ChannelEvent.Arrived::class.java, node.events.last())
            }
        }
    }
}

/** Until there is no stack left. */
private fun dig(depth: Long): Nothing {
    dig(depth + 1)
}
