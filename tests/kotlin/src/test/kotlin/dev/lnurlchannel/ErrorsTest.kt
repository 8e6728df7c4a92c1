package dev.lnurlchannel

import dev.lnurlchannel.support.NODE_ID
import dev.lnurlchannel.support.PlainNode
import dev.lnurlchannel.support.Recorder
import dev.lnurlchannel.support.Scene
import dev.lnurlchannel.support.Testbed
import dev.lnurlchannel.support.channel
import dev.lnurlchannel.support.failure
import dev.lnurlchannel.support.scene
import dev.lnurlchannel.support.state
import dev.lnurlchannel.support.waitUntil
import java.nio.file.Path
import kotlinx.coroutines.async
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Every kind of error once, by its type and its fields. */
class ErrorsTest {
    private fun assertTold(error: LnurlChannelException, detail: String) {
        assertTrue(detail.isNotBlank())
        assertTrue(detail in error.describe(), error.describe())
    }

    @Test
    fun `a text that is no LNURL is InvalidLnurl`() = scene {
        val problems = mapOf("not an LNURL" to LnurlProblem.NOT_LNURL, "lnurl1dp68gurn8" to LnurlProblem.DAMAGED)
        for ((text, problem) in problems) {
            val error = failure<LnurlChannelException.InvalidLnurl> { decodeLnurl(text) }
            assertEquals(problem, error.problem)
            assertTold(error, error.reason)
        }
    }

    @Test
    fun `an LNURL for something else is UnsupportedTag`() = scene {
        val error = failure<LnurlChannelException.UnsupportedTag> { decodeLnurl("lnurlp://service.example/pay") }
        assertEquals("payRequest", error.tag)
        assertTold(error, error.tag)
    }

    @Test
    fun `a service on a private address is UnsafeUrl`() = scene(
        configure = { config().copy(allowPrivateHosts = false) },
    ) {
        val error = failure<LnurlChannelException.UnsafeUrl> { fetch() }
        assertEquals(UrlProblem.PRIVATE_ADDRESS, error.problem)
        assertTold(error, error.reason)
    }

    @Test
    fun `an onion service without a proxy is TorRequired`() = scene {
        val lnurl = decodeLnurl("lnurlc://${testbed.onionHost}/offer")
        assertTrue(lnurl.isOnion())
        val error = failure<LnurlChannelException.TorRequired> { client.fetch(lnurl) }
        assertEquals(lnurl.host(), error.host)
        assertTold(error, error.host)
    }

    @Test
    fun `a service that does not listen is Unreachable`() = scene {
        // Port 1 is for nobody.
        val error = failure<LnurlChannelException.Unreachable> { client.fetch(decodeLnurl("lnurlc://127.0.0.1:1/x")) }
        assertEquals(NetworkProblem.NO_CONNECTION, error.problem)
        assertTold(error, error.reason)
    }

    @Test
    fun `an answer that is no JSON is InvalidResponse`() = scene {
        val page = testbed.offer("HtmlFromGateway", more = mapOf("fault_step" to "offer"))
        val error = failure<LnurlChannelException.InvalidResponse> { client.fetch(decodeLnurl(page)) }
        assertTrue("502" in error.reason, error.reason)
        assertTold(error, error.reason)
    }

    @Test
    fun `an offer of the wallet's own node is OwnNode`() = scene {
        val answer = """{"tag":"channelRequest","uri":"$NODE_ID@127.0.0.1:9735","callback":"/open","k1":"1"}"""
        val request = client.takeAnswer(decodeLnurl("lnurlc://service.example/channel"), answer)
        assertTold(failure<LnurlChannelException.OwnNode> { request.accept() }, "own node")
        assertEquals(ChannelRequestState.OFFERED, request.state)
    }

    @Test
    fun `an error of the service is Refused, with its words, each time`() = scene {
        val request = fetch("ErrorAnswer")
        repeat(2) {
            val error = failure<LnurlChannelException.Refused> { request.accept() }
            assertTold(error, checkNotNull(error.words))
            assertEquals(error.words, request.snapshot().refusal)
        }
        assertEquals(ChannelRequestState.REFUSED, request.state)
        assertEquals(1, testbed.callbacks().size)
    }

    @Test
    fun `a node that does not connect is NodeFailed`() {
        val asleep = WalletNodeException.Failed("the node is asleep")
        val nodes = mapOf(
            "the node is asleep" to PlainNode(onConnect = { throw asleep }),
            "connect" to PlainNode(onConnect = { false }),
        )
        for ((reason, node) in nodes) scene(node) {
            val request = fetch()
            val error = failure<LnurlChannelException.NodeFailed> { request.accept() }
            assertEquals(NodeProblem.NOT_CONNECTED, error.problem)
            assertTrue(reason in error.reason, error.reason)
            assertTold(error, error.reason)
            assertEquals(ChannelRequestState.OFFERED, request.state)
            assertEquals(listOf<ChannelConcern>(ChannelConcern.NodeFailed(error.problem)), request.snapshot().concerns)
        }
    }

    @Test
    fun `a node without custom messages is NodeFailed, as Unsupported`() {
        val node = object : BaseWalletNode() {
            override fun nodeId() = NODE_ID
            override fun readiness(peer: PeerAddress) = NodeReadiness(channelIds = emptyList())
            override fun connect(peer: PeerAddress) = true
            override fun releasePeer(peer: PeerAddress) = Unit
        }
        scene(node) {
            val error = failure<LnurlChannelException.NodeFailed> { fetch(kind = "hosted").accept() }
            assertEquals(NodeProblem.UNSUPPORTED, error.problem)
            assertTrue("no hosted channels" in error.reason, error.reason)
        }
    }

    @Test
    fun `a service that agrees and never opens is NoChannel`() = scene(configure = Testbed::hastyConfig) {
        val request = fetch("OkAndNeverOpens")
        val error = failure<LnurlChannelException.NoChannel> { request.accept() }
        assertTrue(error.serviceAgreed)
        assertTold(error, error.reason)
        assertEquals(ChannelRequestState.AWAITING, request.state)
        assertEquals(listOf(request.requestId()), listed())
    }

    @Test
    fun `a lost answer is NoChannel, with a concern that says so`() = scene(configure = Testbed::hastyConfig) {
        val request = fetch("ResetAfterRequest")
        val error = failure<LnurlChannelException.NoChannel> { request.accept() }
        assertFalse(error.serviceAgreed)
        assertTrue(ChannelConcern.AnswerUnclear(words = null) in error.concerns, "${error.concerns}")
        assertEquals(ChannelRequestState.OUTCOME_UNKNOWN, request.state)
    }

    @Test
    fun `a peer that is gone is named among the concerns`() {
        var connects = 0
        val node = PlainNode(onConnect = { connects++ == 0 })
        scene(node, configure = { hastyConfig().copy(channelTimeoutSeconds = 3u) }) {
            val error = failure<LnurlChannelException.NoChannel> { fetch("OkAndNeverOpens").accept() }
            assertTrue(ChannelConcern.PeerNotConnected in error.concerns, "${error.concerns}")
        }
    }

    @Test
    fun `a call that is paused ends with Cancelled, and another asks nobody`() = scene {
        val request = fetch("OkAndNeverOpens")
        pauseWhileWaiting(request)
        assertEquals(ChannelRequestState.AWAITING, request.state)
        pauseWhileWaiting(request)
        assertEquals(1, testbed.callbacks().size)
    }

    @Test
    fun `what does not fit the state is WrongState`() = scene {
        val request = fetch("OkAndNeverOpens")
        for (call in listOf<suspend () -> Any>({ request.askAgain() }, { request.dismiss() })) {
            val error = failure<LnurlChannelException.WrongState>(call)
            assertEquals(ChannelRequestState.OFFERED, error.state)
            assertTold(error, "OFFERED")
        }
        pauseWhileWaiting(request)
        client.reportIncomingChannel(testbed.channel())
        for (call in listOf<suspend () -> Any>({ request.askAgain() }, { request.cancel() })) {
            assertEquals(ChannelRequestState.ARRIVED, failure<LnurlChannelException.WrongState>(call).state)
        }
    }

    @Test
    fun `a folder that is in use, or is none, is StorageFailed`(@TempDir folder: Path) = scene(
        configure = { config().copy(storageDir = "$folder") },
    ) {
        val noFolder = folder.resolve("file").apply { toFile().writeText("") }
        for (place in listOf(folder, noFolder)) {
            val config = testbed.config().copy(storageDir = "$place")
            val error = failure<LnurlChannelException.StorageFailed> { ChannelClient(PlainNode(), Recorder(), config) }
            assertTold(error, error.reason)
        }
    }

    @Test
    fun `a configuration that cannot be used is InvalidConfig`() = scene {
        val right = testbed.config()
        for (config in listOf(
            right.copy(channelTimeoutSeconds = 0u),
            right.copy(proxy = "ftp://127.0.0.1"),
            right.copy(proxy = "socks5h://user:sesame@127.0.0.1:9050"),
            right.copy(extraRootCertificates = "nothing"),
        )) {
            val error = failure<LnurlChannelException.InvalidConfig> { ChannelClient(PlainNode(), Recorder(), config) }
            assertTold(error, error.reason)
            assertFalse("sesame" in error.reason)
        }
    }

    /** Accepts, and pauses once the service has answered. */
    private suspend fun Scene.pauseWhileWaiting(request: ChannelRequest) {
        val call = scope.async { failure<LnurlChannelException.Cancelled> { request.accept() } }
        waitUntil("it waits") { request.snapshot().run { isRunning && state == ChannelRequestState.AWAITING } }
        request.pause()
        assertTold(call.await(), "paused")
        assertFalse(request.snapshot().isRunning)
    }
}
