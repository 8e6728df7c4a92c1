package driver

import com.example.wallet.Action
import com.example.wallet.ChannelScreen
import com.example.wallet.DemoWallet
import com.example.wallet.Page
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
            val request = client.fetch(decodeLnurl(DemoWallet.demoLnurl()))
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
        val request = client.fetch(decodeLnurl(DemoWallet.demoLnurl()))
        val accepting = launch { request.accept() }
        requests.first { it.any { request -> request.state == ChannelRequestState.AWAITING } }
        accepting.cancelAndJoin()
        val paused = requests.first { it.none { request -> request.isRunning } }.single()
        check(paused.requestId == request.requestId() && paused.state == ChannelRequestState.AWAITING) { "$paused" }
        client.shutdown()
        seen("a coroutine cancelled, and its request left to be waited for")
    }

    private suspend fun hostedChannelOnTheScreen() = onScreen(inMemory) {
        screen.open(DemoWallet.demoLnurl())
        await { page == Page.Consent("host.example", isOnion = false, isFetching = false) }
        screen.fetch()
        await { shows(Action.ACCEPT, Action.TURN_DOWN) }
        screen.act(Action.ACCEPT)
        await { shows(Action.DISMISS) && request?.hostedTerms?.capacityMsat == 100_000_000uL }
        screen.act(Action.DISMISS)
        await { page is Page.Home }
        seen("the app's own screen, from a hosted offer to its channel")
    }

    /** One request was never asked for, the other was: each leads to what fits it. */
    private suspend fun leftoversOnTheScreen() {
        val folder = createTempDirectory("screen").toFile()
        val config = inMemory.copy(storageDir = folder.path)
        val slow = node(connect = { Thread.sleep(500); false })
        leave(config, slow, DemoWallet.demoLnurl(), ChannelRequestState.CONNECTING)
        val asked = encodeLnurl(decodeLnurl(DemoWallet.demoLnurl()).url().replace("k1=00", "k1=01"))
        leave(config, node(), asked, ChannelRequestState.AWAITING)
        onScreen(config) {
            screen.enterForeground()
            await { (page as? Page.Home)?.underWay.orEmpty().map { it.isRunning } == listOf(true, false) }
            val (waiting, offered) = (screen.state.value.page as Page.Home).underWay
            screen.open(waiting)
            await { shows(Action.PAUSE, Action.CANCEL) && request?.state == ChannelRequestState.AWAITING }
            screen.act(Action.PAUSE)
            await { shows(Action.WAIT_ON, Action.ASK_AGAIN, Action.CANCEL) }
            screen.open(asked)
            await { page is Page.Consent }
            screen.fetch()
            await { shows(Action.WAIT_ON, Action.ASK_AGAIN, Action.CANCEL) }
            screen.act(Action.WAIT_ON)
            await { shows(Action.PAUSE, Action.CANCEL) }
            screen.act(Action.CANCEL)
            await { (page as? Page.Home)?.underWay?.size == 1 && (page as Page.Home).earlier.size == 1 }
            screen.open(offered)
            await { shows(Action.ACCEPT, Action.TURN_DOWN) }
            screen.act(Action.TURN_DOWN)
            await { (page as? Page.Home)?.underWay?.isEmpty() == true }
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
            await { problem is LnurlChannelException.StorageFailed }
            screen.open(DemoWallet.demoLnurl())
            await { page is Page.Consent && problem == null }
            screen.fetch()
            await { page is Page.Consent && problem is LnurlChannelException.StorageFailed }
            check(notAFolder.delete())
            screen.fetch()
            await { shows(Action.ACCEPT, Action.TURN_DOWN) && problem == null }
        }
        notAFolder.deleteRecursively()
        seen("a folder that can't be written, on the screen: said, and tried again")
    }

    private val ScreenState.request get() = (page as? Page.Request)?.request

    private fun ScreenState.shows(vararg actions: Action) = (page as? Page.Request)?.actions == actions.toList()

    private class OnScreen(val screen: ChannelScreen) {
        suspend fun await(holds: ScreenState.() -> Boolean) {
            withTimeoutOrNull(10_000) { screen.state.first { it.holds() } } ?: error("in vain: ${screen.state.value}")
        }
    }

    private suspend fun onScreen(config: ClientConfig, test: suspend OnScreen.() -> Unit) {
        val life = SupervisorJob()
        val scope = CoroutineScope(life + Dispatchers.Default.limitedParallelism(1))
        val screen = ChannelScreen(scope, DemoWallet()) { wallet, listener -> ChannelClient(wallet, listener, config) }
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
