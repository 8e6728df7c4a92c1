package dev.lnurlchannel

import dev.lnurlchannel.support.NODE_ID
import dev.lnurlchannel.support.awaitState
import dev.lnurlchannel.support.channel
import dev.lnurlchannel.support.failure
import dev.lnurlchannel.support.scene
import dev.lnurlchannel.support.state
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
        val connected = CopyOnWriteArrayList<PeerAddress>()

        override suspend fun nodeId(): String {
            yield()
            return NODE_ID
        }

        override suspend fun readiness(peer: PeerAddress): NodeReadiness {
            yield()
            return NodeReadiness(channelIds = emptyList())
        }

        override suspend fun connect(peer: PeerAddress): Boolean {
            delay(1.milliseconds)
            connected += peer
            return true
        }

        override suspend fun releasePeer(peer: PeerAddress) = yield()
    }

    @Test
    fun `its methods suspend, on the library's threads and on a dispatcher`() {
        for (context in listOf(EmptyCoroutineContext, Dispatchers.IO)) {
            val node = Node()
            scene(node.asWalletNode(context)) {
                val request = fetch("OkAndNeverOpens")
                val call = scope.async { request.accept() }
                request.awaitState(ChannelRequestState.AWAITING)
                client.reportIncomingChannel(testbed.channel())
                assertInstanceOf(ChannelOutcome.Funded::class.java, call.await())
                assertEquals(request.snapshot().offer.peer, node.connected.first())
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
    fun `without hosted channels it is Unsupported`() = scene(Node().asWalletNode()) {
        val error = failure<LnurlChannelException.NodeFailed> { fetch(kind = "hosted").accept() }
        assertEquals(NodeProblem.UNSUPPORTED, error.problem)
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
            assertEquals(ChannelRequestState.OFFERED, request.state)
        }
    }
}
