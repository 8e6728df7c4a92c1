package driver

import com.example.wallet.Action
import com.example.wallet.ChannelScreen
import com.example.wallet.DemoNode
import com.example.wallet.ScreenState
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
import kotlin.io.path.createTempDirectory
import kotlin.io.path.createTempFile
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
import kotlinx.coroutines.withTimeoutOrNull

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
            leftoversOnTheScreen()
            fullDiskOnTheScreen()
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

    private suspend fun hostedChannelOnTheScreen() = onScreen(ClientConfig()) {
        screen.open(DemoNode.demoLnurl())
        await { actions == setOf(Action.FETCH, Action.DECLINE) && steps == listOf("Ask host.example what it offers?") }
        screen.act(Action.FETCH)
        await { Action.ACCEPT in actions }
        screen.act(Action.ACCEPT)
        await { "The host offers 100000 sat." in steps && actions.isEmpty() }
        check(screen.state.value.steps[1].startsWith("host.example offers a hosted channel"))
        seen("the app's own screen, from a hosted offer to its channel")
    }

    /** One request was never asked for, the other was: each leads to what fits it. */
    private suspend fun leftoversOnTheScreen() {
        val folder = createTempDirectory("screen").toFile()
        val config = ClientConfig(storageDir = folder.path)
        val slow = node(connect = { Thread.sleep(500); false })
        leave(config, slow, DemoNode.demoLnurl()) { it is ChannelEvent.Connecting }
        val asked = encodeLnurl(decodeLnurl(DemoNode.demoLnurl()).url().replace("k1=00", "k1=01"))
        leave(config, node(), asked) { it is ChannelEvent.AwaitingChannel }
        onScreen(config) {
            screen.start()
            await { actions == setOf(Action.ACCEPT, Action.DECLINE) }
            screen.act(Action.DECLINE)
            await { "Declined. Nobody was told." in steps && actions == setOf(Action.PAUSE, Action.CANCEL) }
            screen.act(Action.PAUSE)
            await { "Paused." in steps && actions == setOf(Action.WAIT_ON, Action.CANCEL) }
            screen.open(asked)
            await { Action.FETCH in actions }
            screen.act(Action.FETCH)
            await { actions == setOf(Action.WAIT_ON, Action.CANCEL) }
            screen.act(Action.CANCEL)
            await { "Cancelled." in steps && actions.isEmpty() }
        }
        folder.deleteRecursively()
        seen("what earlier runs left, on the screen: declined, waited for, paused, scanned again, cancelled")
    }

    /** A run of the app that ends once its request has come so far. */
    private suspend fun leave(config: ClientConfig, node: WalletNode, lnurl: String, soFar: (ChannelEvent) -> Boolean) =
        coroutineScope {
            val reached = Job()
            val observed = object : WalletNode by node {
                override fun onChannelEvent(requestId: String, event: ChannelEvent) {
                    if (soFar(event)) reached.complete()
                }
            }
            val client = ChannelClient(observed, config)
            val accepting = launch { client.fetch(decodeLnurl(lnurl)).accept() }
            reached.join()
            accepting.cancelAndJoin()
            client.shutdown()
        }

    private suspend fun fullDiskOnTheScreen() {
        val notAFolder = createTempFile("screen").toFile()
        onScreen(ClientConfig(storageDir = notAFolder.path)) {
            screen.start()
            await { steps.size == 1 }
            screen.open(DemoNode.demoLnurl())
            screen.act(Action.FETCH)
            await { steps.size == 2 && Action.FETCH in actions }
            check(notAFolder.delete())
            screen.act(Action.FETCH)
            await { Action.ACCEPT in actions }
        }
        notAFolder.deleteRecursively()
        seen("a folder that can't be written, on the screen: said, and tried again")
    }

    private class OnScreen(val screen: ChannelScreen) {
        suspend fun await(holds: ScreenState.() -> Boolean) {
            withTimeoutOrNull(10_000) { screen.state.first { it.holds() } } ?: error("in vain: ${screen.state.value}")
        }
    }

    private suspend fun onScreen(config: ClientConfig, test: suspend OnScreen.() -> Unit) {
        val life = SupervisorJob()
        val screen = ChannelScreen(config, CoroutineScope(life + Dispatchers.Default.limitedParallelism(1)))
        OnScreen(screen).test()
        life.cancelAndJoin()
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
