package dev.lnurlchannel

import dev.lnurlchannel.support.Gate
import dev.lnurlchannel.support.PlainNode
import dev.lnurlchannel.support.Scene
import dev.lnurlchannel.support.Testbed
import dev.lnurlchannel.support.failure
import dev.lnurlchannel.support.scene
import java.nio.file.Path
import kotlinx.coroutines.async
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Every kind of error once, by its type and its fields. */
class ErrorsTest {
    private fun assertTold(expected: String, error: LnurlChannelException, reason: String) {
        assertTrue(reason.isNotBlank())
        assertTrue(error.describe().startsWith(expected), error.describe())
        assertTrue(reason in error.describe(), error.describe())
    }

    @Test
    fun `InvalidLnurl`() = scene {
        val error = failure<LnurlChannelException.InvalidLnurl> { decodeLnurl("not an LNURL") }
        assertTold("This is not an LNURL: ", error, error.reason)
    }

    @Test
    fun `UnsupportedTag`() = scene {
        val error = failure<LnurlChannelException.UnsupportedTag> { decodeLnurl("lnurlp://service.example/pay") }
        assertEquals("payRequest", error.tag)
        assertTold("This LNURL is for something else", error, "payRequest")
    }

    @Test
    fun `UnsafeUrl`() = scene(configure = { config().copy(allowPrivateHosts = false) }) {
        val error = failure<LnurlChannelException.UnsafeUrl> { fetch() }
        assertTold("The address is not safe to use: ", error, error.reason)
    }

    @Test
    fun `TorRequired`() = scene {
        val lnurl = decodeLnurl("lnurlc://${testbed.onionHost}/offer")
        assertTrue(lnurl.isOnion())
        val error = failure<LnurlChannelException.TorRequired> { client.fetch(lnurl) }
        assertEquals(lnurl.host(), error.host)
        assertTold("Reaching ", error, error.host)
    }

    @Test
    fun `Unreachable`() = scene {
        // Port 1 is for nobody.
        val error = failure<LnurlChannelException.Unreachable> { client.fetch(decodeLnurl("lnurlc://127.0.0.1:1/x")) }
        assertTold("The service could not be reached", error, error.reason)
    }

    @Test
    fun `InvalidResponse`() = scene {
        val page = testbed.offer("HtmlFromGateway", more = mapOf("fault_step" to "offer"))
        val error = failure<LnurlChannelException.InvalidResponse> { client.fetch(decodeLnurl(page)) }
        assertTrue("502" in error.reason, error.reason)
        assertTold("The service's answer breaks the protocol: ", error, error.reason)
    }

    @Test
    fun `Refused`() = scene {
        val request = fetch("ErrorAnswer")
        val error = failure<LnurlChannelException.Refused> { request.accept() }
        assertTold("The service said no: ", error, error.reason)
        assertEquals(ChannelRequestState.REFUSED, request.state())
    }

    @Test
    fun `NodeFailed`() = scene(PlainNode(onConnect = { throw WalletNodeException.Failed("the node is asleep") })) {
        val request = fetch()
        val error = failure<LnurlChannelException.NodeFailed> { request.accept() }
        assertTrue("the node is asleep" in error.reason, error.reason)
        assertTold("The wallet's node could not do its part", error, error.reason)
        assertEquals(ChannelRequestState.OFFERED, request.state())
    }

    @Test
    fun `NodeFailed, where the node cannot do it at all`() =
        scene(PlainNode(onSend = { throw WalletNodeException.Unsupported("no custom messages") })) {
            val error = failure<LnurlChannelException.NodeFailed> { fetch(kind = "hosted").accept() }
            assertTrue("not supported: no custom messages" in error.reason, error.reason)
        }

    @Test
    fun `OutcomeUnknown`() = scene(configure = Testbed::hastyConfig) {
        val request = fetch("SilentCallback")
        val error = failure<LnurlChannelException.OutcomeUnknown> { request.accept() }
        assertTold("The service was asked, its answer was lost", error, error.reason)
        assertEquals(ChannelRequestState.OUTCOME_UNKNOWN, request.state())
    }

    @Test
    fun `NoChannel, with the peer connected`() = scene(configure = Testbed::hastyConfig) {
        val request = fetch("OkAndNeverOpens")
        val error = failure<LnurlChannelException.NoChannel> { request.accept() }
        assertTrue(error.peerConnected)
        assertTold("The channel was asked for", error, error.reason)
        assertEquals(ChannelRequestState.AWAITING, request.state())
        assertEquals(listOf(request.requestId()), unfinished())
    }

    @Test
    fun `NoChannel, with the peer gone`() {
        var connects = 0
        val node = PlainNode(onConnect = { connects++ == 0 })
        scene(node, { hastyConfig().copy(channelTimeoutSeconds = 2u) }) {
            val error = failure<LnurlChannelException.NoChannel> { fetch("OkAndNeverOpens").accept() }
            assertFalse(error.peerConnected)
        }
    }

    @Test
    fun `Cancelled, and WrongState meanwhile`() {
        val gate = Gate()
        val node = PlainNode(onConnect = { gate.pass(); true })
        scene(node) { pauseWhileConnecting(gate) }
    }

    private suspend fun Scene.pauseWhileConnecting(gate: Gate) {
        val request = fetch()
        val call = scope.async { failure<LnurlChannelException.Cancelled> { request.accept() } }
        gate.awaitReached()
        val wrong = failure<LnurlChannelException.WrongState> { request.accept() }
        assertEquals(ChannelRequestState.CONNECTING, wrong.state)
        assertTold("The call does not fit the request", wrong, "Connecting")
        assertTrue(request.pause())
        assertTold("The call was paused", call.await(), "cancelled")
        gate.open()
    }

    @Test
    fun `WrongState`() = scene {
        val request = fetch()
        val early = failure<LnurlChannelException.WrongState> { request.resume() }
        assertEquals(ChannelRequestState.OFFERED, early.state)
        request.decline()
        for (call in listOf<suspend () -> Any>({ request.accept() }, { request.decline() }, { request.cancel() })) {
            assertEquals(ChannelRequestState.DECLINED, failure<LnurlChannelException.WrongState>(call).state)
        }
    }

    @Test
    fun `StorageFailed`(@TempDir folder: Path) = scene(configure = { config().copy(storageDir = "$folder") }) {
        val config = testbed.config().copy(storageDir = "$folder")
        val error = failure<LnurlChannelException.StorageFailed> { ChannelClient(PlainNode(), config) }
        assertTold("The request could not be stored", error, error.reason)
    }

    @Test
    fun `InvalidConfig`() = scene {
        for (config in listOf(
            ClientConfig(channelTimeoutSeconds = 0u),
            ClientConfig(proxy = "ftp://127.0.0.1"),
            ClientConfig(extraRootCertificates = "nothing"),
        )) {
            val error = failure<LnurlChannelException.InvalidConfig> { ChannelClient(PlainNode(), config) }
            assertTold("The configuration is wrong: ", error, error.reason)
        }
    }
}
