package dev.lnurlchannel

import dev.lnurlchannel.support.Held
import dev.lnurlchannel.support.PlainNode
import dev.lnurlchannel.support.Scene
import dev.lnurlchannel.support.scene
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What 10,000 calls leave behind: neither objects, nor handles, nor memory. */
class LeakTest {
    private companion object {
        const val ROUNDS = 4
        const val CALLS = 2_000
        const val LNURL = "lnurlc://service.example/channel"
    }

    /** A leak grows in every round; the JVM's compiler and its threads grow in some. */
    private suspend fun Scene.leavesNothing(what: String, calls: Int = CALLS, call: suspend () -> Unit) {
        // The first calls load classes and start threads.
        repeat(calls) { call() }
        val held = mutableListOf(Held.atRest())
        repeat(ROUNDS) {
            repeat(calls) { call() }
            held += Held.atRest()
        }
        val told = "$what, each $calls calls: ${held.joinToString("\n  ", prefix = "\n  ")}"
        fun growth(of: (Held) -> Long) = held.zipWithNext { before, after -> of(after) - of(before) }.min()
        assertTrue(growth { it.objects.toLong() } < calls / 20, told)
        assertTrue(growth { it.nativeBytes } < calls * 64 + 32 * 1024, told)
        assertTrue(growth { it.threads.toLong() } <= 0, told)
        assertTrue(growth { it.files } <= 0, told)
        assertTrue(held.last().nodes <= held.first().nodes, told)
        assertTrue(held.last().continuations <= held.first().continuations, told)
    }

    @Test
    fun `calls with objects in their arguments and answers`() = scene {
        val request = fetch("OkAndNeverOpens")
        val call = scope.launch { request.accept() }
        testbed.awaitCallbacks(1)
        try {
            leavesNothing("objects") {
                decodeLnurl(LNURL).use(Lnurl::host)
                client.request(request.requestId())?.close()
                client.unfinishedRequests().forEach(ChannelRequest::close)
            }
        } finally {
            call.cancelAndJoin()
        }
    }

    @Test
    fun `objects that nobody closes`() = scene {
        leavesNothing("left to the collector") { decodeLnurl(LNURL) }
    }

    @Test
    fun `calls that throw`() = scene {
        val request = fetch()
        leavesNothing("exceptions") {
            runCatching { decodeLnurl("no LNURL") }.onSuccess { error("it is none") }
            runCatching { request.resume() }.onSuccess { error("there is nothing to resume") }
        }
    }

    @Test
    fun `calls that are cancelled`() = scene {
        val request = fetch("OkAndNeverOpens")
        val call = scope.launch { request.accept() }
        testbed.awaitCallbacks(1)
        // Else the call would fail with the scene, and hide why.
        try {
            leavesNothing("cancelled calls") {
                scope.launch(start = CoroutineStart.UNDISPATCHED) { request.resume() }.cancelAndJoin()
            }
        } finally {
            call.cancelAndJoin()
        }
    }

    @Test
    fun `calls into the wallet`() {
        val node = PlainNode(onConnect = { throw WalletNodeException.Failed("asleep") })
        scene(node) {
            val request = fetch()
            leavesNothing("callbacks") {
                runCatching { request.accept() }
                node.events.clear()
            }
        }
    }

    @Test
    fun `clients that are shut down`() = scene {
        leavesNothing("clients", calls = 50) {
            val client = ChannelClient(PlainNode(), testbed.config())
            client.shutdown()
            client.close()
        }
        assertEquals(1, FfiConverterTypeWalletNode.handleMap.size, "this scene's own")
    }
}
