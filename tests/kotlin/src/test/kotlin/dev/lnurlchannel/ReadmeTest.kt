package dev.lnurlchannel

import dev.lnurlchannel.support.P2WPKH
import dev.lnurlchannel.support.Scene
import dev.lnurlchannel.support.TestWallet
import dev.lnurlchannel.support.Testbed
import dev.lnurlchannel.support.flag
import dev.lnurlchannel.support.optional
import dev.lnurlchannel.support.text
import dev.lnurlchannel.support.timed
import dev.lnurlchannel.support.waitUntil
import java.io.File
import java.nio.file.Path
import java.util.HexFormat
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.io.path.readText
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The README's three blocks, letter for letter, with what they call of the wallet. */
class ReadmeTest {
    class Context(val noBackupFilesDir: File)

    /** What the wallet's own node tells of. */
    sealed interface NodeEvent {
        val peerId: String

        class OpenChannelRequest(
            override val peerId: String, val temporaryId: String, val capacitySat: ULong, val isAnnounced: Boolean,
        ) : NodeEvent

        class ChannelPending(
            override val peerId: String, val channelId: String, val temporaryId: String?,
        ) : NodeEvent

        class ChannelReady(override val peerId: String, val channelId: String) : NodeEvent

        class ChannelClosed(
            override val peerId: String, val channelId: String, val reason: String?,
        ) : NodeEvent

        class PeerConnection(override val peerId: String, val isConnected: Boolean) : NodeEvent

        class PeerMessage(
            override val peerId: String, val messageType: UShort, val payload: ByteArray,
        ) : NodeEvent
    }

    /** The testbed's node under the names that the README uses. */
    class Ldk(private val wallet: TestWallet) {
        val id = wallet.nodeId()
        val remembered = CopyOnWriteArrayList<String>()
        /** Of whose channels, and whether they were accepted. LDK proposes again what was turned down. */
        val decisions = CopyOnWriteArrayList<Pair<String, Boolean>>()

        @Volatile
        private var onEvent: ((NodeEvent) -> Unit)? = null

        /** Again for the app's next run: the testbed's node runs on. */
        fun start(onEvent: (NodeEvent) -> Unit) {
            val isFirst = this.onEvent == null
            this.onEvent = onEvent
            if (isFirst) wallet.handEventsTo { this.onEvent?.invoke(event(it)) }
        }

        fun channelIds(peerId: String) = wallet.readiness(PeerAddress(peerId, "", 1u)).channelIds

        fun connect(peerId: String, address: String): Boolean {
            val (host, port) = address.split(':')
            return wallet.connect(PeerAddress(peerId, host, port.toUShort()))
        }

        fun disconnectUnlessNeeded(peerId: String) = wallet.releasePeer(PeerAddress(peerId, "", 1u))

        fun send(peerId: String, type: UShort, payload: ByteArray) = wallet.sendPeerMessage(peerId, type, payload)

        fun newP2wpkhScript() = P2WPKH

        fun remember(peerId: String) {
            remembered += peerId
        }

        fun answer(event: NodeEvent.OpenChannelRequest, isAccepted: Boolean) {
            decisions += event.peerId to isAccepted
            wallet.answer(event.peerId, event.temporaryId, isAccepted)
        }

        private fun event(event: JsonObject): NodeEvent {
            val peerId = event.text("peer_id")
            return when (val type = event.text("type")) {
                "OpenChannelRequest" -> NodeEvent.OpenChannelRequest(
                    peerId, event.text("channel_id"), event.text("capacity_sat").toULong(), event.flag("is_announced"),
                )
                "ChannelPending" ->
                    NodeEvent.ChannelPending(peerId, event.text("channel_id"), event.optional("former_channel_id"))
                "ChannelReady" -> NodeEvent.ChannelReady(peerId, event.text("channel_id"))
                "ChannelClosed" ->
                    NodeEvent.ChannelClosed(peerId, event.text("channel_id"), event.optional("reason"))
                "PeerMessage" -> NodeEvent.PeerMessage(
                    peerId,
                    event.text("message_type").toUShort(),
                    HexFormat.of().parseHex(event.text("payload_hex")),
                )
                else -> NodeEvent.PeerConnection(peerId, isConnected = type == "PeerConnected")
            }
        }
    }

    /** An app around the blocks, with the testbed's time limits. */
    class App(private val testbed: Testbed, private val ldk: Ldk, private val context: Context) {
        val shown = CopyOnWriteArrayList<String>()
        var isWilling = true

        private fun ClientConfig(storageDir: String) = testbed.config().copy(storageDir = storageDir)

        private fun agreesToContact(authority: String) = authority.startsWith("localhost")

        private fun agreesToAccept(offer: ChannelOffer, concerns: List<String>) =
            isWilling && offer.peer.nodeId == testbed.targetId && concerns.isEmpty()

        private fun isMyPolicy(event: NodeEvent.OpenChannelRequest) = event.capacitySat > 1_000_000uL

        private fun tell(sentence: String) {
            shown += sentence
        }

        private fun route(tag: String) {
            shown += tag
        }

        private fun warn(channel: IncomingChannel) {
            shown += "not expected: ${channel.stage}"
        }

        private fun show(channel: IncomingChannel) {
            shown += "funded by ${channel.peerId}"
        }

        private fun startHosted(message: ByteArray) {
            shown += "hosted ${message.size > P2WPKH.size}"
        }

        private fun resumeHosted(message: ByteArray) {
            shown += "resumed ${message.size > P2WPKH.size}"
        }

        // README
        class MyNode(private val ldk: Ldk) : WalletNode {  // on background threads; may block
            override fun nodeId() = ldk.id
            override fun readiness(peer: PeerAddress) = NodeReadiness(ldk.channelIds(peer.nodeId))
            override fun connect(peer: PeerAddress) = ldk.connect(peer.nodeId, peer.socketAddress)
            override fun releasePeer(peer: PeerAddress) = ldk.disconnectUnlessNeeded(peer.nodeId)

            // For hosted channels. Without them, extend BaseWalletNode.
            override fun sendPeerMessage(peerId: String, messageType: UShort, payload: ByteArray) =
                ldk.send(peerId, messageType, payload)
            override fun refundScriptPubkey(requestId: String) = ldk.newP2wpkhScript()
        }

        val requests = ChannelRequests()  // a StateFlow, for screens
        val sentences = Sentences()       // English, or yours
        lateinit var client: ChannelClient  // scans wait for it

        suspend fun start() = try {
            withContext(Dispatchers.IO) {
                val config = ClientConfig(channelFolder(context.noBackupFilesDir))
                client = ChannelClient(MyNode(ldk), requests, config)
                requests.follow(client)
                ldk.start(::report)       // only now, so that no channel goes unreported
            }
            goOn()
        } catch (e: LnurlChannelException) {
            tell(sentences.of(e))         // a full disk, a locked phone: start again later
        }

        // At each return to the foreground; cancel the last one. It asks nobody, and runs while anything waits.
        suspend fun goOn() {
            if (::client.isInitialized) client.goOn { _, outcome -> arrived(outcome) }
        }
        // END

        // README
        suspend fun scanned(text: String) {
            try {
                val lnurl = decodeLnurl(text)  // offline
                if (agreesToContact(lnurl.authority())) offered(client.fetch(lnurl))
            } catch (e: LnurlChannelException.UnsupportedTag) {
                route(e.tag)
            } catch (_: LnurlChannelException.Cancelled) {
                // paused, or cancelled
            } catch (e: LnurlChannelException) {
                tell(sentences.of(e))
            }
        }

        suspend fun offered(request: ChannelRequest) {
            if (request.snapshot().state == ChannelRequestState.OFFERED) {
                val concerns = request.preflight().map { sentences.of(it) }  // asks your node only
                if (!agreesToAccept(request.snapshot().offer, concerns)) return request.cancel()
            }
            arrived(request.accept())  // asks once; called again, it waits on
            if (request.snapshot().awaitsReady) request.awaitReady()  // hours; keeps the peer connected
        }

        fun arrived(outcome: ChannelOutcome) = when (outcome) {  // again, until dismiss()
            is ChannelOutcome.Funded -> show(outcome.channel)
            is ChannelOutcome.HostedOffered -> startHosted(outcome.message)
            is ChannelOutcome.HostedExists -> resumeHosted(outcome.message)
        }
        // END

        // README
        // Each event of your node, off the main thread. Inbound channels only.
        fun report(event: NodeEvent) {
            when (event) {
                is NodeEvent.OpenChannelRequest -> proposed(event)
                is NodeEvent.ChannelPending -> funded(
                    IncomingChannel(event.peerId, ChannelStage.FUNDED, event.channelId, event.temporaryId))
                is NodeEvent.ChannelReady -> funded(IncomingChannel(event.peerId, ChannelStage.READY, event.channelId))
                is NodeEvent.ChannelClosed -> client.reportChannelClosed(event.peerId, event.channelId, event.reason)
                is NodeEvent.PeerConnection -> client.reportPeerConnection(event.peerId, event.isConnected)
                is NodeEvent.PeerMessage -> client.reportPeerMessage(event.peerId, event.messageType, event.payload)
            }
        }

        fun proposed(event: NodeEvent.OpenChannelRequest) {
            val channel = IncomingChannel(
                event.peerId, ChannelStage.PROPOSED, event.temporaryId, isAnnounced = event.isAnnounced)
            when (client.reportIncomingChannel(channel)) {
                is ChannelVerdict.Expected -> ldk.answer(event, true)  // no reason to trust zero-conf
                is ChannelVerdict.Unrequested -> ldk.answer(event, isMyPolicy(event))
                else -> ldk.answer(event, false)
            }
        }

        fun funded(channel: IncomingChannel) = when (client.reportIncomingChannel(channel)) {
            is ChannelVerdict.Expected -> ldk.remember(channel.peerId)
            is ChannelVerdict.Unrequested -> Unit
            else -> warn(channel)  // the user may close it
        }
        // END
    }

    @Test
    fun `a scanned LNURL becomes a channel that can be used`(@TempDir folder: Path) = onTestbed(folder) { app, ldk ->
        val scan = scope.launch { app.scanned(testbed.offer()) }
        waitUntil("the channel") { app.shown.isNotEmpty() }
        assertEquals(listOf("funded by ${testbed.targetId}"), app.shown.toList())
        waitUntil("the peer to be remembered") { ldk.remembered.isNotEmpty() }
        assertEquals(listOf(testbed.targetId to true), ldk.decisions.toList())
        assertEquals(ChannelRequestState.ARRIVED, app.requests.value.single().state)
        waitUntil("it can be used") {
            // The funding transaction may come after some of the blocks.
            testbed.post("mine")
            app.requests.value.single().state == ChannelRequestState.READY
        }
        scan.join()
        assertEquals(1, testbed.callbacks().size)
    }

    @Test
    fun `what an earlier run has asked for is waited for`(@TempDir folder: Path) = onTestbed(folder) { earlier, ldk ->
        val scan = scope.launch { earlier.scanned(testbed.offer("OkAndNeverOpens")) }
        waitUntil("OK") { earlier.requests.value.any { it.state == ChannelRequestState.AWAITING } }
        earlier.client.shutdown()
        scan.join()
        assertTrue(earlier.shown.isEmpty(), "a wait that is cancelled is no error")

        val app = App(testbed, ldk, Context(folder.toFile()))
        val start = scope.launch { app.start() }
        waitUntil("the wait goes on") { app.requests.value.any { it.isRunning && it.isPeerConnected } }
        testbed.post("target/open", mapOf("peer_id" to testbed.walletId))
        waitUntil("the channel") { app.shown.isNotEmpty() }
        assertEquals(listOf("funded by ${testbed.targetId}"), app.shown.toList())
        assertEquals(1, testbed.callbacks().size)
        start.cancelAndJoin()
        app.client.shutdown()
    }

    @Test
    fun `a hosted channel is handed over`(@TempDir folder: Path) = onTestbed(folder) { app, _ ->
        app.scanned(testbed.offer(kind = "hosted"))
        app.scanned(testbed.offer("HostedChannelExists", kind = "hosted"))
        assertEquals(listOf("hosted true", "resumed true"), app.shown.toList())
    }

    @Test
    fun `what fails is told`(@TempDir folder: Path) = onTestbed(folder) { app, _ ->
        app.scanned("LNURL1DP68GURN8GHJ7")
        app.scanned("keyauth://service.example?k1=00")
        app.scanned(testbed.offer("ErrorAnswer"))
        val (damaged, tag, refused) = app.shown
        assertEquals("This LNURL is damaged: a letter is missing or wrong.", damaged)
        assertEquals("login", tag)
        assertTrue(refused.startsWith("The service said no"), refused)
        app.isWilling = false
        app.scanned(testbed.offer())
        assertEquals(3, app.shown.size)
        assertEquals(1, testbed.callbacks().size)
    }

    @Test
    fun `channels that are not expected, and closings, are reported`(@TempDir folder: Path) =
        onTestbed(folder) { app, ldk ->
            val stranger = testbed.get("info").getValue("stranger").jsonObject
            assertTrue(ldk.connect(stranger.text("id"), "${stranger.text("host")}:${stranger.text("port")}"))
            testbed.post("stranger/open", mapOf("peer_id" to testbed.walletId))
            waitUntil("the wallet's own policy") { stranger.text("id") to false in ldk.decisions }
            val scan = scope.launch { app.scanned(testbed.offer("OkAndNeverOpens")) }
            waitUntil("OK") { app.requests.value.any { it.state == ChannelRequestState.AWAITING } }
            testbed.post("target/open", mapOf("peer_id" to testbed.walletId, "announced" to true))
            waitUntil("the other visibility is turned down") { testbed.targetId to false in ldk.decisions }
            assertTrue(ldk.decisions.none { it.second })

            fun state() = app.requests.value.single().state
            val channelId = "01".repeat(32)
            app.report(NodeEvent.ChannelPending(testbed.targetId, channelId, null))
            waitUntil("the channel") { state() == ChannelRequestState.ARRIVED }
            app.report(NodeEvent.ChannelPending(testbed.targetId, "02".repeat(32), null))
            waitUntil("a second one") { "not expected: FUNDED" in app.shown }
            app.report(NodeEvent.ChannelClosed(testbed.targetId, channelId, "its funding was spent otherwise"))
            waitUntil("the request waits again") { state() == ChannelRequestState.AWAITING }
            app.report(NodeEvent.PeerConnection(testbed.targetId, isConnected = false))
            scan.cancelAndJoin()
        }

    @Test
    fun `they are the ones in the README`() {
        val readme = Path.of("../../README.md").readText()
        val there = readme.split("```kotlin\n").drop(1).map { it.substringBefore("```").trimEnd() }
        val source = Path.of("src/test/kotlin/dev/lnurlchannel/ReadmeTest.kt").readText()
        val here = source.split("        // README\n").drop(1).map { it.substringBefore("        // END") }
        assertEquals(3, there.size)
        assertEquals(there, here.map { it.trimIndent().trimEnd() })
    }

    /** A testbed, and an app on its wallet node that has started. */
    private fun onTestbed(folder: Path, test: suspend Scene.(App, Ldk) -> Unit) = Testbed().use { testbed ->
        TestWallet(testbed).use { wallet ->
            timed {
                val ldk = Ldk(wallet)
                val app = App(testbed, ldk, Context(folder.toFile()))
                app.start()
                Scene(testbed, app.client, this).test(app, ldk)
                app.client.shutdown()
            }
        }
    }
}
