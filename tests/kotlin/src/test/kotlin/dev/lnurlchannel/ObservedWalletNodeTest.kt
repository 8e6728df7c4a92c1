package dev.lnurlchannel

import dev.lnurlchannel.support.PlainNode
import dev.lnurlchannel.support.proposal
import dev.lnurlchannel.support.scene
import dev.lnurlchannel.support.timed
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.flow.transformWhile
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Test

/** Events as a flow. */
class ObservedWalletNodeTest {
    private val peer = PeerAddress("02", "node.example", 9735u)

    private fun event(number: Int) = ChannelEvent.Reconnecting(peer, number.toUInt())

    @Test
    fun `a request's events flow until it has arrived`() {
        val plain = PlainNode()
        val node = ObservedWalletNode(plain)
        scene(node.guarded()) {
            val request = fetch("OkAndNeverOpens")
            val steps = scope.async {
                node.eventsOf(request.requestId())
                    .transformWhile { emit(it); it !is ChannelEvent.Arrived }
                    .toList()
            }
            val call = scope.async { request.accept() }
            node.eventsOf(request.requestId()).first { it is ChannelEvent.AwaitingChannel }
            client.reportIncomingChannel(testbed.proposal())
            assertInstanceOf(ChannelOutcome.Opening::class.java, call.await())
            assertEquals(plain.events.toList(), steps.await())
        }
    }

    @Test
    fun `a slow collector loses nothing, and nobody waits for it`() = timed {
        val node = ObservedWalletNode(PlainNode())
        val slow = CompletableDeferred<Unit>()
        val count = 10_000
        val collected = async(start = CoroutineStart.UNDISPATCHED) {
            node.events.onEach { slow.await() }.take(count).toList()
        }
        repeat(count) { node.onChannelEvent("a", event(it)) }
        slow.complete(Unit)
        assertEquals(List(count) { RequestEvent("a", event(it)) }, collected.await())
    }

    @Test
    fun `a late collector gets the last events, of its request alone`() = timed {
        val node = ObservedWalletNode(PlainNode(), replay = 6)
        repeat(10) { node.onChannelEvent(if (it % 2 == 0) "even" else "odd", event(it)) }
        assertEquals(listOf(event(4), event(6), event(8)), node.eventsOf("even").take(3).toList())
    }

    @Test
    fun `events go on to the node, whose exceptions are its own`() = timed {
        val plain = PlainNode(onEvent = { _, _ -> throw IllegalStateException("a bug") })
        val node = ObservedWalletNode(plain)
        runCatching { node.onChannelEvent("a", event(1)) }.onSuccess { error("it throws") }
        assertEquals(RequestEvent("a", event(1)), node.events.first())
        assertEquals(listOf(event(1)), plain.events.toList())
    }
}
