package dev.lnurlchannel

import dev.lnurlchannel.support.Held
import dev.lnurlchannel.support.PlainNode
import dev.lnurlchannel.support.Recorder
import dev.lnurlchannel.support.Scene
import dev.lnurlchannel.support.scene
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Test

/** What thousands of calls leave behind: neither objects, nor handles, nor memory. */
class LeakTest {
    private companion object {
        const val MOST_ROUNDS = 8
        const val CALLS = 2_000
        const val LNURL = "lnurlc://service.example/channel"
    }

    /** A leak grows in every round; the JVM's compiler, its threads and its collector grow in some. */
    private suspend fun Scene.leavesNothing(what: String, calls: Int = CALLS, call: suspend () -> Unit) {
        // The first calls load classes and start threads.
        repeat(calls) { call() }
        val held = mutableListOf(Held.atRest())
        do {
            repeat(calls) { call() }
            held += Held.atRest()
        } while (held.size <= MOST_ROUNDS && grows(held, calls))
        assertFalse(grows(held, calls)) {
            "$what, each $calls calls: ${held.joinToString("\n  ", prefix = "\n  ")}"
        }
    }

    private fun grows(held: List<Held>, calls: Int): Boolean {
        fun growth(of: (Held) -> Long) = held.zipWithNext { before, after -> of(after) - of(before) }.min()
        return growth { it.objects.toLong() } >= calls / 20 ||
            growth { it.nativeBytes } >= calls * 64 + 32 * 1024 ||
            growth { it.threads.toLong() } > 0 ||
            growth { it.files } > 0 ||
            growth { it.foreign.toLong() } > 0 ||
            growth { it.continuations.toLong() } > 0
    }

    /** With time for thousands of calls, which one that waits outlasts. */
    private fun long(
        node: WalletNode = PlainNode(),
        listener: ChannelListener = Recorder(),
        test: suspend Scene.() -> Unit,
    ) = scene(node, listener, { config().copy(channelTimeoutSeconds = 600u) }, limit = 5.minutes, test)

    @Test
    fun `calls with objects in their arguments and answers`() = long {
        val request = fetch("OkAndNeverOpens")
        val call = scope.launch { request.accept() }
        testbed.awaitCallbacks(1)
        try {
            leavesNothing("objects") {
                decodeLnurl(LNURL).use(Lnurl::host)
                client.request(request.requestId())?.close()
                client.requests()
            }
        } finally {
            call.cancelAndJoin()
        }
    }

    @Test
    fun `objects that nobody closes`() = long {
        leavesNothing("left to the collector") { decodeLnurl(LNURL) }
    }

    @Test
    fun `calls that throw`() = long {
        val request = fetch()
        leavesNothing("exceptions") {
            runCatching { decodeLnurl("no LNURL") }.onSuccess { error("it is none") }
            runCatching { request.askAgain() }.onSuccess { error("it was never asked") }
        }
    }

    @Test
    fun `calls that are cancelled`() = long {
        val request = fetch("OkAndNeverOpens")
        val call = scope.launch { request.accept() }
        testbed.awaitCallbacks(1)
        // Else the call would fail with the scene, and hide why.
        try {
            leavesNothing("cancelled calls") {
                scope.launch(start = CoroutineStart.UNDISPATCHED) { request.accept() }.cancelAndJoin()
            }
        } finally {
            call.cancelAndJoin()
        }
    }

    @Test
    fun `calls into the wallet`() {
        val recorder = Recorder()
        long(PlainNode(onConnect = { throw WalletNodeException.Failed("asleep") }), recorder) {
            val request = fetch()
            leavesNothing("callbacks", calls = 500) {
                runCatching { request.accept() }.onSuccess { error("the node is asleep") }
                recorder.changes.clear()
            }
        }
    }

    @Test
    fun `clients that are shut down`() = long {
        leavesNothing("clients", calls = 50) {
            val requests = ChannelRequests()
            val client = ChannelClient(PlainNode(), requests, testbed.config())
            requests.follow(client)
            client.shutdown()
            client.close()
        }
        assertEquals(1, FfiConverterTypeWalletNode.handleMap.size, "this scene's own")
        assertEquals(1, FfiConverterTypeChannelListener.handleMap.size, "this scene's own")
    }
}
