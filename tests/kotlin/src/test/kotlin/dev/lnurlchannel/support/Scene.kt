package dev.lnurlchannel.support

import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelListener
import dev.lnurlchannel.ChannelRequest
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.ClientConfig
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.WalletNode
import dev.lnurlchannel.decodeLnurl
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.toKotlinDuration
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.jupiter.api.fail

/** The longest that a test takes, if not told otherwise. */
private val TEST_LIMIT = LIMIT.toKotlinDuration() * 2

/** A testbed and a client on [node], both gone afterwards. */
fun scene(
    node: WalletNode = PlainNode(),
    listener: ChannelListener = Recorder(),
    configure: Testbed.() -> ClientConfig = Testbed::config,
    limit: Duration = TEST_LIMIT,
    test: suspend Scene.() -> Unit,
) = Testbed().use { testbed -> on(testbed, node, listener, testbed.configure(), limit, test) }

/** As [scene], with the testbed's own wallet node behind the client. */
fun walletScene(
    listener: ChannelListener = Recorder(),
    test: suspend Scene.(TestWallet) -> Unit,
) = Testbed().use { testbed ->
    TestWallet(testbed).use { wallet ->
        on(testbed, wallet, listener, testbed.config(), TEST_LIMIT) {
            wallet.reportTo(client)
            test(wallet)
        }
    }
}

private fun on(
    testbed: Testbed,
    node: WalletNode,
    listener: ChannelListener,
    config: ClientConfig,
    limit: Duration,
    test: suspend Scene.() -> Unit,
) = timed(limit) {
    val client = ChannelClient(node, listener, config)
    try {
        Scene(testbed, client, this).test()
    } finally {
        withContext(NonCancellable) { client.shutdown() }
        client.close()
    }
}

/** Runs a test's coroutines on threads, for no longer than it may take. */
fun timed(limit: Duration = TEST_LIMIT, test: suspend CoroutineScope.() -> Unit) =
    runBlocking(Dispatchers.Default) { withTimeout(limit, test) }

class Scene(val testbed: Testbed, val client: ChannelClient, val scope: CoroutineScope) {
    suspend fun fetch(vararg habits: String, kind: String = "channel"): ChannelRequest =
        client.fetch(decodeLnurl(testbed.offer(*habits, kind = kind)))

    /** The ids of what the client lists. */
    fun listed(): List<String> = client.requests().map { it.requestId }
}

val ChannelRequest.state: ChannelRequestState get() = snapshot().state

suspend fun ChannelRequest.awaitState(state: ChannelRequestState) =
    waitUntil("$state, and not ${this.state}") { this.state == state }

/** Waits for what nothing tells of. */
suspend fun waitUntil(what: String, condition: () -> Boolean) {
    withTimeoutOrNull(LIMIT.toKotlinDuration()) {
        while (!condition()) delay(5.milliseconds)
    } ?: fail("in vain: $what")
}

/** The exception of type [E] that [call] throws. */
suspend inline fun <reified E : Exception> thrownBy(call: suspend () -> Any?): E {
    val result = try {
        call()
    } catch (exception: Exception) {
        if (exception is E) return exception
        throw AssertionError("${E::class.simpleName} was expected", exception)
    }
    throw AssertionError("${E::class.simpleName} was expected, not $result")
}

/** The same, of the library's exceptions. */
suspend inline fun <reified E : LnurlChannelException> failure(call: suspend () -> Any?): E = thrownBy<E>(call)
