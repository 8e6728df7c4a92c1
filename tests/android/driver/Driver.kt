package driver

import com.example.wallet.ChannelScreen
import com.example.wallet.DemoNode
import dev.lnurlchannel.BitcoinNetwork
import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelEvent
import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.ChannelVerdict
import dev.lnurlchannel.ClientConfig
import dev.lnurlchannel.IncomingChannel
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.PeerAddress
import dev.lnurlchannel.WalletNode
import dev.lnurlchannel.WalletNodeException
import dev.lnurlchannel.decodeLnurl
import dev.lnurlchannel.encodeLnurl
import java.util.concurrent.CopyOnWriteArrayList
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout

/** Runs the shrunk app's code against the real library: each line that it prints was seen to work. */
object Driver {
    @JvmStatic
    fun main(arguments: Array<String>) = runBlocking {
        withTimeout(60_000) {
            decoding()
            exceptionsOfTheNode()
            failingFetch()
            cancellation()
            hostedChannelOnTheScreen()
            Testbed(arguments[0]).use { fundedChannel(it) }
        }
    }

    private fun decoding() {
        val lnurl = decodeLnurl("lightning:" + encodeLnurl("https://service.example/channel?x=1"))
        check(lnurl.host() == "service.example" && !lnurl.isOnion())
        val error = failure { decodeLnurl("nothing") }
        check(error is LnurlChannelException.InvalidLnurl && error.describe().isNotEmpty()) { "$error" }
        seen("an LNURL decoded, and an error with its fields")
    }

    private suspend fun exceptionsOfTheNode() {
        val typed = node(connect = { throw WalletNodeException.Failed("radio off") })
        val other = node(connect = { error("a bug of the wallet") })
        for ((node, reason) in listOf(typed to "radio off", other to "a bug of the wallet")) {
            val client = ChannelClient(node, ClientConfig())
            val request = client.fetch(decodeLnurl(DemoNode.demoLnurl()))
            val error = failure { request.accept() }
            check(error is LnurlChannelException.NodeFailed && reason in error.reason) { "$error" }
            client.shutdown()
        }
        seen("the wallet's node called back, and its exceptions carried through")
    }

    private suspend fun failingFetch() {
        val client = ChannelClient(node(), ClientConfig(allowPrivateHosts = true))
        val error = failure { client.fetch(decodeLnurl(encodeLnurl("https://127.0.0.1:1/"))) }
        check(error is LnurlChannelException.Unreachable) { "$error" }
        client.shutdown()
        seen("an async call failing as it should")
    }

    private suspend fun cancellation() = coroutineScope {
        val events = CopyOnWriteArrayList<ChannelEvent>()
        val awaiting = Job()
        val client = ChannelClient(
            node(onEvent = { events += it; if (it is ChannelEvent.AwaitingChannel) awaiting.complete() }),
            ClientConfig(),
        )
        val request = client.fetch(decodeLnurl(DemoNode.demoLnurl()))
        val accepting = launch { request.accept() }
        awaiting.join()
        accepting.cancelAndJoin()
        check(client.unfinishedRequests().single().requestId() == request.requestId())
        client.shutdown()
        seen("a coroutine cancelled, and its request left to be resumed")
    }

    private suspend fun hostedChannelOnTheScreen() {
        val life = SupervisorJob()
        val screen = ChannelScreen(ClientConfig(), CoroutineScope(life + Dispatchers.Default))
        screen.open(DemoNode.demoLnurl())
        screen.state.first { it.offer != null && !it.isBusy }
        screen.accept()
        val end = screen.state.first { state -> state.steps.any { it == "The host offers 100000 sat." } }
        check(end.steps.first().startsWith("host.example offers a hosted channel")) { "${end.steps}" }
        life.cancelAndJoin()
        seen("the app's own screen, from a hosted offer to its channel")
    }

    private suspend fun fundedChannel(testbed: Testbed) = coroutineScope {
        val wallet = testbed.info.substringAfter("\"wallet\":")
        val node = node(
            id = Testbed.field(wallet, "id"),
            connect = { peer ->
                val body = """{"node_id":"${peer.nodeId}","host":"${peer.host}","port":${peer.port}}"""
                "true" in testbed.post("/wallet/connect", body)
            },
        )
        val config = ClientConfig(
            network = BitcoinNetwork.REGTEST,
            extraRootCertificates = Testbed.field(testbed.info, "ca_pem"),
            allowPrivateHosts = true,
        )
        val client = ChannelClient(node, config)
        val lnurl = Testbed.field(testbed.post("/offers", "{}"), "lnurl")
        val request = client.fetch(decodeLnurl(lnurl))
        val reporting = launch(Dispatchers.IO) { report(testbed, client) }
        val outcome = request.accept()
        reporting.join()
        check(outcome is ChannelOutcome.Opening && outcome.channel.capacitySat != null) { "$outcome" }
        client.shutdown()
        seen("a channel of a real node, asked for over TLS, reported and returned")
    }

    /** Reports the first channel that the testbed's wallet node shows. */
    private fun report(testbed: Testbed, client: ChannelClient) {
        var event: String
        do {
            event = testbed.get("/wallet/events?wait_ms=10000")
        } while ("OpenChannelRequest" !in event)
        val channel = IncomingChannel(
            peerId = Testbed.field(event, "peer_id"),
            channelId = Testbed.field(event, "channel_id"),
            capacitySat = Regex("\"capacity_sat\":(\\d+)").find(event)?.groupValues?.get(1)?.toULong(),
        )
        check(client.reportIncomingChannel(channel) is ChannelVerdict.Expected)
    }

    private fun node(
        id: String = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        connect: (PeerAddress) -> Boolean = { true },
        onEvent: (ChannelEvent) -> Unit = {},
    ) = object : WalletNode {
        override fun nodeId() = id
        override fun connect(peer: PeerAddress) = connect(peer)
        override fun sendPeerMessage(peerId: String, messageType: UShort, payload: ByteArray) = true
        override fun refundScriptPubkey(requestId: String) = byteArrayOf(0, 20) + ByteArray(20) { 7 }
        override fun onChannelEvent(requestId: String, event: ChannelEvent) = onEvent(event)
    }

    private inline fun failure(call: () -> Unit): Throwable? = try {
        call()
        null
    } catch (error: LnurlChannelException) {
        error
    }

    private fun seen(what: String) = println("seen: $what")
}
