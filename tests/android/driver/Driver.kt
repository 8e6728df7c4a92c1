package driver

import com.example.wallet.Action
import com.example.wallet.ChannelScreen
import com.example.wallet.DemoNode
import com.example.wallet.ScreenState
import dev.lnurlchannel.BitcoinNetwork
import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.ChannelRequests
import dev.lnurlchannel.ChannelStage
import dev.lnurlchannel.ChannelVerdict
import dev.lnurlchannel.ClientConfig
import dev.lnurlchannel.IncomingChannel
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.NodeProblem
import dev.lnurlchannel.NodeReadiness
import dev.lnurlchannel.PeerAddress
import dev.lnurlchannel.WalletNode
import dev.lnurlchannel.WalletNodeException
import dev.lnurlchannel.decodeLnurl
import dev.lnurlchannel.describe
import dev.lnurlchannel.encodeLnurl
import kotlin.io.path.createTempDirectory
import kotlin.io.path.createTempFile
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
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
    private val inMemory = ClientConfig(storageDir = null)

    @JvmStatic
    fun main(arguments: Array<String>) = runBlocking {
        withTimeout(60_000) {
            decoding()
            failuresOfTheNode()
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
        check(lnurl.authority() == "service.example" && !lnurl.isOnion())
        val error = failure { decodeLnurl("nothing") }
        check(error is LnurlChannelException.InvalidLnurl && error.reason in error.describe()) { "$error" }
        seen("an LNURL decoded, and an error with its fields")
    }

    private suspend fun failuresOfTheNode() {
        val failures = mapOf(
            "radio off" to node(connect = { throw WalletNodeException.Failed("radio off") }),
            "a bug of the wallet" to node(connect = { error("a bug of the wallet") }),
            "an unwritten method" to node(connect = { TODO("an unwritten method") }),
        )
        for ((reason, node) in failures) {
            val client = ChannelClient(node, ChannelRequests(), inMemory)
            val request = client.fetch(decodeLnurl(DemoNode.demoLnurl()))
            val error = failure { request.accept() }
            check(error is LnurlChannelException.NodeFailed && reason in error.reason) { "$error" }
            check(error.problem == NodeProblem.NOT_CONNECTED) { "${error.problem}" }
            client.shutdown()
        }
        seen("the wallet's node called back, and its exceptions and errors carried through")
    }

    private suspend fun failingFetch() {
        val client = ChannelClient(node(), ChannelRequests(), inMemory.copy(allowPrivateHosts = true))
        val error = failure { client.fetch(decodeLnurl(encodeLnurl("https://127.0.0.1:1/"))) }
        check(error is LnurlChannelException.Unreachable) { "$error" }
        client.shutdown()
        seen("an async call failing as it should")
    }

    private suspend fun cancellation() = coroutineScope {
        val requests = ChannelRequests()
        val client = ChannelClient(node(), requests, inMemory)
        requests.follow(client)
        val request = client.fetch(decodeLnurl(DemoNode.demoLnurl()))
        val accepting = launch { request.accept() }
        requests.first { it.any { request -> request.state == ChannelRequestState.AWAITING } }
        accepting.cancelAndJoin()
        val paused = requests.first { it.none { request -> request.isRunning } }.single()
        check(paused.requestId == request.requestId() && paused.state == ChannelRequestState.AWAITING) { "$paused" }
        client.shutdown()
        seen("a coroutine cancelled, and its request left to be waited for")
    }

    private suspend fun hostedChannelOnTheScreen() = onScreen(inMemory) {
        screen.open(DemoNode.demoLnurl())
        await { actions == setOf(Action.FETCH, Action.CANCEL) && lines == listOf("Ask host.example what it offers?") }
        screen.act(Action.FETCH)
        await { actions == setOf(Action.ACCEPT, Action.CANCEL) && "offers a hosted channel" in lines.single() }
        screen.act(Action.ACCEPT)
        await { "The host offers 100000 sat." in lines && actions == setOf(Action.DISMISS) }
        screen.act(Action.DISMISS)
        await { this == ScreenState() }
        seen("the app's own screen, from a hosted offer to its channel")
    }

    /** One request was never asked for, the other was: each leads to what fits it. */
    private suspend fun leftoversOnTheScreen() {
        val folder = createTempDirectory("screen").toFile()
        val config = inMemory.copy(storageDir = folder.path)
        val slow = node(connect = { Thread.sleep(500); false })
        leave(config, slow, DemoNode.demoLnurl(), ChannelRequestState.CONNECTING)
        val asked = encodeLnurl(decodeLnurl(DemoNode.demoLnurl()).url().replace("k1=00", "k1=01"))
        leave(config, node(), asked, ChannelRequestState.AWAITING)
        onScreen(config) {
            screen.enterForeground()
            await { actions == setOf(Action.PAUSE, Action.CANCEL) && "Asked. The channel is awaited." in lines }
            screen.act(Action.PAUSE)
            await { actions == setOf(Action.WAIT_ON, Action.ASK_AGAIN, Action.CANCEL) }
            screen.open(asked)
            await { Action.FETCH in actions }
            screen.act(Action.FETCH)
            await { Action.WAIT_ON in actions }
            screen.act(Action.WAIT_ON)
            await { Action.PAUSE in actions }
            screen.act(Action.CANCEL)
            await { actions == setOf(Action.ACCEPT, Action.CANCEL) }
            screen.act(Action.CANCEL)
            await { this == ScreenState() }
        }
        folder.deleteRecursively()
        seen("what earlier runs left, on the screen: waited for, paused, scanned again, cancelled")
    }

    /** A run of the app that ends once its request has come so far. */
    private suspend fun leave(config: ClientConfig, node: WalletNode, lnurl: String, soFar: ChannelRequestState) =
        coroutineScope {
            val requests = ChannelRequests()
            val client = ChannelClient(node, requests, config)
            requests.follow(client)
            val request = client.fetch(decodeLnurl(lnurl))
            val accepting = launch { request.accept() }
            requests.first { it.any { one -> one.requestId == request.requestId() && one.state == soFar } }
            accepting.cancelAndJoin()
            client.shutdown()
        }

    private suspend fun fullDiskOnTheScreen() {
        val notAFolder = createTempFile("screen").toFile()
        onScreen(inMemory.copy(storageDir = notAFolder.path)) {
            screen.start()
            await { lines.size == 1 }
            screen.open(DemoNode.demoLnurl())
            await { Action.FETCH in actions && lines.size == 1 }
            screen.act(Action.FETCH)
            await { Action.FETCH in actions && lines.size == 2 }
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
        val screen = ChannelScreen(CoroutineScope(life + Dispatchers.Default.limitedParallelism(1))) { config }
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
        val config = inMemory.copy(
            network = BitcoinNetwork.REGTEST,
            extraRootCertificates = Testbed.field(testbed.info, "ca_pem"),
            allowPrivateHosts = true,
        )
        val client = ChannelClient(node, ChannelRequests(), config)
        val lnurl = Testbed.field(testbed.post("/offers", "{}"), "lnurl")
        val request = client.fetch(decodeLnurl(lnurl))
        val reporting = launch(Dispatchers.IO) { report(testbed, client) }
        val outcome = request.accept()
        reporting.join()
        check(outcome is ChannelOutcome.Funded && outcome.channel.capacitySat != null) { "$outcome" }
        client.shutdown()
        seen("a channel of a real node, asked for over TLS, reported and returned")
    }

    /** Reports the first channel that the testbed's wallet node shows, and accepts it. */
    private fun report(testbed: Testbed, client: ChannelClient) {
        val proposal = event(testbed, "OpenChannelRequest")
        val peerId = Testbed.field(proposal, "peer_id")
        val proposed = IncomingChannel(
            peerId,
            ChannelStage.PROPOSED,
            channelId = Testbed.field(proposal, "channel_id"),
            capacitySat = Regex("\"capacity_sat\":(\\d+)").find(proposal)?.groupValues?.get(1)?.toULong(),
        )
        check(client.reportIncomingChannel(proposed) is ChannelVerdict.Expected)
        testbed.post("/wallet/accept_channel", """{"peer_id":"$peerId","channel_id":"${proposed.channelId}"}""")
        val funded = IncomingChannel(
            peerId,
            ChannelStage.FUNDED,
            channelId = Testbed.field(event(testbed, "ChannelPending"), "channel_id"),
            formerChannelId = proposed.channelId,
        )
        check(client.reportIncomingChannel(funded) is ChannelVerdict.Expected)
    }

    /** The next event of that type; others are passed over. */
    private fun event(testbed: Testbed, type: String): String {
        while (true) {
            val events = testbed.get("/wallet/events?wait_ms=10000")
            Regex("\\{[^{}]*\"type\":\"$type\"[^{}]*\\}").find(events)?.let { return it.value }
        }
    }

    private fun node(
        id: String = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        connect: (PeerAddress) -> Boolean = { true },
    ) = object : WalletNode {
        override fun nodeId() = id
        override fun readiness(peer: PeerAddress) = NodeReadiness(emptyList())
        override fun connect(peer: PeerAddress) = connect(peer)
        override fun releasePeer(peer: PeerAddress) = Unit
        override fun sendPeerMessage(peerId: String, messageType: UShort, payload: ByteArray) = true
        override fun refundScriptPubkey(requestId: String) = byteArrayOf(0, 20) + ByteArray(20) { 7 }
    }

    private inline fun failure(call: () -> Unit): Throwable? = try {
        call()
        null
    } catch (error: LnurlChannelException) {
        error
    }

    private fun seen(what: String) = println("seen: $what")
}
