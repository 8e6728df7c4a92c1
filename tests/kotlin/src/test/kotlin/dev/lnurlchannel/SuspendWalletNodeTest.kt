package dev.lnurlchannel

import dev.lnurlchannel.support.NODE_ID
import dev.lnurlchannel.support.P2WPKH
import dev.lnurlchannel.support.failure
import dev.lnurlchannel.support.proposal
import dev.lnurlchannel.support.scene
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** A node of coroutines. */
class SuspendWalletNodeTest {
    private open class Node : SuspendWalletNode {
        val events = CopyOnWriteArrayList<ChannelEvent>()
        val awaiting = CompletableDeferred<Unit>()

        override suspend fun nodeId(): String {
            yield()
            return NODE_ID
        }

        override suspend fun connect(peer: PeerAddress): Boolean {
            delay(1.milliseconds)
            return true
        }

        override suspend fun sendPeerMessage(peerId: String, messageType: UShort, payload: ByteArray): Boolean {
            delay(1.milliseconds)
            return true
        }

        override suspend fun refundScriptPubkey(requestId: String): ByteArray {
            yield()
            return P2WPKH
        }

        override suspend fun onChannelEvent(requestId: String, event: ChannelEvent) {
            yield()
            events += event
            if (event is ChannelEvent.AwaitingChannel) awaiting.complete(Unit)
        }
    }

    @Test
    fun `its methods suspend, on the library's threads and on a dispatcher`() {
        for (context in listOf(EmptyCoroutineContext, Dispatchers.IO)) {
            val node = Node()
            scene(node.asWalletNode(context)) {
                val call = scope.async { fetch("OkAndNeverOpens").accept() }
                node.awaiting.await()
                client.reportIncomingChannel(testbed.proposal())
                assertInstanceOf(ChannelOutcome.Opening::class.java, call.await())
                assertInstanceOf(ChannelEvent.Connecting::class.java, node.events.first())
                assertInstanceOf(ChannelEvent.Arrived::class.java, node.events.last())
            }
        }
    }

    @Test
    fun `what it throws is named, errors included`() {
        val node = object : Node() {
            override suspend fun connect(peer: PeerAddress): Boolean {
                yield()
                TODO("connecting")
            }
        }
        scene(node.asWalletNode()) {
            val error = failure<LnurlChannelException.NodeFailed> { fetch().accept() }
            assertTrue("connecting" in error.reason, error.reason)
        }
    }

    @Test
    fun `it ends with its scope`() {
        val connecting = CompletableDeferred<Unit>()
        val node = object : Node() {
            override suspend fun connect(peer: PeerAddress): Boolean {
                connecting.complete(Unit)
                awaitCancellation()
            }
        }
        val wallet = CoroutineScope(Job())
        scene(node.asWalletNode(wallet.coroutineContext)) {
            val request = fetch()
            val call = scope.async { failure<LnurlChannelException.NodeFailed> { request.accept() } }
            connecting.await()
            wallet.cancel()
            assertTrue("Cancellation" in call.await().reason)
            failure<LnurlChannelException.NodeFailed> { request.accept() }
            assertEquals(ChannelRequestState.OFFERED, request.state())
        }
    }
}
