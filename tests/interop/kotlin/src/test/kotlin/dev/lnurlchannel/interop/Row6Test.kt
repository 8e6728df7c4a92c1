package dev.lnurlchannel.interop

import dev.lnurlchannel.BitcoinNetwork
import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelClientInterface
import dev.lnurlchannel.ChannelConcern
import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.ChannelRequest
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.ChannelRequests
import dev.lnurlchannel.ChannelStage
import dev.lnurlchannel.ChannelVerdict
import dev.lnurlchannel.ClientConfig
import dev.lnurlchannel.HostedChannelTerms
import dev.lnurlchannel.IncomingChannel
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.decodeLnurl
import dev.lnurlchannel.encodeLnurl
import dev.lnurlchannel.samples.LndReports
import dev.lnurlchannel.samples.LndRest
import dev.lnurlchannel.samples.LndWalletNode
import java.io.File
import java.net.ServerSocket
import java.net.SocketTimeoutException
import java.nio.ByteBuffer
import java.security.MessageDigest
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.CopyOnWriteArraySet
import kotlin.concurrent.thread
import kotlin.io.encoding.Base64
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.json.JSONArray
import org.json.JSONObject
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.MethodOrderer
import org.junit.jupiter.api.Order
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestMethodOrder

private const val INVOKE: UShort = 65535u
private const val INIT: UShort = 65533u
private const val LAST_STATE: UShort = 65531u
private const val HOSTED_ERROR: UShort = 63497u

/** Of no protocol: it shows that a stream of messages stands. */
private const val PROBE: UShort = 40001u

/** LND looks at each of them. */
private val MANY_BLOCKS_LIMIT = 150.seconds

private const val CAPACITY_SAT = 100_000
private const val PUSH_SAT = 1_500

/** What LND waits for, for a channel of this size. */
private const val BLOCKS = 3u

/** The first block of regtest, as messages carry its hash. */
private const val REGTEST = "06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f"

private val WAITING = setOf(ChannelRequestState.AWAITING, ChannelRequestState.OUTCOME_UNKNOWN)

/** What `LndWalletNode` says that it needs, and nothing else. */
private val PERMISSIONS = arrayOf(
    "info:read", "peers:read", "peers:write", "offchain:read", "offchain:write", "onchain:read", "address:write",
)

/** `last_cross_signed_state` without a script, open payments and features. */
private const val STATE_BYTES = 197

/** One LND as the wallet's node, another as the peer, in the flows for both kinds of channels. */
@TestMethodOrder(MethodOrderer.OrderAnnotation::class)
class Row6Test {
    private class Message(val peerId: String, val type: UShort, val payload: ByteArray)

    private val host = Lnd("host")
    private val lnd = Lnd("wallet")
    private val hostRest = host.rest()
    private val walletRest = lnd.rest(lnd.cli("bakemacaroon", *PERMISSIONS))
    private val wallet = LndWalletNode(walletRest)
    private val certificate = System.getProperty("service.certificate")

    private val client = ChannelClient(
        wallet,
        ChannelRequests(),
        ClientConfig(
            storageDir = null,
            network = BitcoinNetwork.REGTEST,
            extraRootCertificates = File(certificate).readText(),
            allowPrivateHosts = true,
        ),
    )
    private val atHost = CopyOnWriteArrayList<Message>()
    private val atWallet = CopyOnWriteArrayList<Message>()
    private val verdicts = CopyOnWriteArrayList<Pair<IncomingChannel, ChannelVerdict>>()
    private val reporters = CopyOnWriteArraySet<Thread>()
    private val connections = CopyOnWriteArrayList<Pair<String, Boolean>>()

    private val reports = LndReports(walletRest, object : ChannelClientInterface by client {
        override fun reportPeerMessage(peerId: String, messageType: UShort, payload: ByteArray): Boolean {
            atWallet += Message(peerId, messageType, payload)
            return client.reportPeerMessage(peerId, messageType, payload)
        }

        override fun reportIncomingChannel(channel: IncomingChannel): ChannelVerdict {
            reporters += Thread.currentThread()
            return client.reportIncomingChannel(channel).also { verdicts += channel to it }
        }

        override fun reportPeerConnection(peerId: String, isConnected: Boolean) {
            connections += peerId to isConnected
            client.reportPeerConnection(peerId, isConnected)
        }
    })

    @AfterEach
    fun shutdown() = runBlocking { client.shutdown() }

    // Before there are channels, which keep LND from letting go of the peer.
    @Test
    @Order(1)
    fun `a host on LND is asked and answers`() = timed {
        connects()
        listens()
        offersAChannel()
        hasAChannel()
        saysNo()
        isReleased()
    }

    @Test
    fun `a service's LND opens to the wallet's LND`() = timed {
        NpmService(host, certificate, System.getProperty("service.key")).use { service ->
            val events = untilItFails { reports.reportChannelEvents() }
            val (request, first) = opens(service)
            say("LUD-02: LND lists an unannounced channel of the service's amounts, and it is the request's")
            waitUntil("the funding transaction") { chain("getrawmempool", "false") != "[\n]" }
            chain("generatetodescriptor", "6", "raw(51)")
            waitUntil("the channel is ready") {
                !JSONObject(lnd.cli("listchannels", "--active_only")).getJSONArray("channels").isEmpty
            }
            // Of the channel that is pending, open or active.
            waitUntil("LND's events") { events in reporters }
            verdicts.clear()
            reports.reportChannels()
            // An event may have it reported once more.
            assertEquals(setOf(first.channelId), verdicts.map { it.first.channelId }.toSet())
            val expected = ChannelVerdict.Expected(request.requestId())
            assertEquals(setOf<ChannelVerdict>(expected), verdicts.map { it.second }.toSet())
            assertEquals(ChannelRequestState.READY, request.snapshot().state)
            say("once confirmed, it is the same channel still, and ready; LND's events have it reported at once")
            val (another, second) = opens(service)
            assertNotEquals(first.channelId, second.channelId)
            say("a second request to the same node: what LND listed before is not taken for it")
            neverConfirms(another)
            assertEquals(ChannelRequestState.READY, request.snapshot().state)
        }
    }

    @Test
    fun `silence ends calls and streams, and a stream is begun again`() = timed {
        assertTrue(wallet.connect(client.fetch(hostedLnurl(host.address, "00")).snapshot().offer.peer))
        val stream = async(Dispatchers.IO) { runCatching { reports.reportMessages() } }
        ServerSocket(0).use { silent ->
            val rest = LndRest("https://127.0.0.1:${silent.localPort}", File(certificate).inputStream(), "")
            assertTrue(runCatching { rest.get("/v1/getinfo") }.exceptionOrNull() is SocketTimeoutException)
        }
        assertTrue(stream.await().exceptionOrNull() is SocketTimeoutException)
        listens()
        say("LND is silent: a call ends, and so does the stream of messages, which is begun again")
    }

    @Test
    fun `LND's failure to connect reaches the wallet`() = timed {
        val request = client.fetch(hostedLnurl("${host.id}@127.0.0.1:1", "00"))
        val failed = runCatching { request.accept() }.exceptionOrNull() as LnurlChannelException.NodeFailed
        assertTrue("connection refused" in failed.reason) { failed.reason }
        say("LND can't connect: NodeFailed, \"${failed.reason}\"")
    }

    private suspend fun connects() {
        val peer = client.fetch(hostedLnurl(host.address, "00")).snapshot().offer.peer
        assertTrue(wallet.connect(peer))
        assertTrue(wallet.connect(peer))
        val features = JSONObject(lnd.cli("listpeers")).getJSONArray("peers").getJSONObject(0).getJSONObject("features")
        assertTrue(features.has("257") && features.has("32973")) { "$features" }
        say("connected, `init` exchanged: the host's features 257 and 32973 are there")
    }

    /** Both streams of messages, and that of connections, which LND opens without a sign. */
    private suspend fun listens() {
        untilItFails { reports.reportConnections() }
        untilItFails { reports.reportMessages() }
        untilItFails {
            hostRest.stream("/v1/custommessage/subscribe") {
                val (peer, payload) = listOf("peer", "data").map { field -> Base64.decode(it.getString(field)) }
                atHost += Message(peer.toHexString(), it.getInt("type").toUShort(), payload)
            }
        }
        waitUntil("the wallet's stream") {
            hostSends(PROBE, byteArrayOf(1))
            atWallet.any { it.type == PROBE }
        }
        waitUntil("the host's stream") {
            wallet.sendPeerMessage(host.id, PROBE, byteArrayOf(1)) && atHost.any { it.type == PROBE }
        }
    }

    private fun untilItFails(stream: () -> Unit) = thread(isDaemon = true) {
        while (true) {
            try {
                stream()
            } catch (_: SocketTimeoutException) {
                // It was silent.
            }
        }
    }

    private suspend fun offersAChannel() {
        val terms = HostedChannelTerms(
            capacityMsat = 100_000_000uL,
            initialClientBalanceMsat = 5_000uL,
            maxHtlcValueInFlightMsat = 100_000_000uL,
            htlcMinimumMsat = 1_000uL,
            maxAcceptedHtlcs = 30u,
        )
        val message = ByteBuffer.allocate(36)
            .putLong(terms.maxHtlcValueInFlightMsat.toLong())
            .putLong(terms.htlcMinimumMsat.toLong())
            .putShort(terms.maxAcceptedHtlcs.toShort())
            .putLong(terms.capacityMsat.toLong())
            .putLong(terms.initialClientBalanceMsat.toLong())
            .putShort(0)
            .array()
        val outcome = ask("01") { hostSends(INIT, message) } as ChannelOutcome.HostedOffered
        assertEquals(terms, outcome.terms)
        assertArrayEquals(message, outcome.message)
        say("LUD-07: the host saw 65535, byte for byte, with a script of the wallet's own; 65533 is HostedOffered")
    }

    private suspend fun hasAChannel() {
        val state = ByteArray(STATE_BYTES)
        val outcome = ask("02") { hostSends(LAST_STATE, state) } as ChannelOutcome.HostedExists
        assertArrayEquals(state, outcome.message)
        say("65531 is HostedExists")
    }

    private suspend fun saysNo() {
        val channel = MessageDigest.getInstance("SHA-256")
            .digest(listOf(host.id, lnd.id).sorted().joinToString("").hexToByteArray())
        val words = "no channels today"
        val error = channel + byteArrayOf(0, words.length.toByte()) + words.toByteArray()
        val refused = runCatching { ask("03") { hostSends(HOSTED_ERROR, error) } }.exceptionOrNull()
        assertEquals(words, (refused as LnurlChannelException.Refused).words)
        say("63497 is Refused, \"$words\"")
    }

    private suspend fun isReleased() {
        wallet.releasePeer(client.fetch(hostedLnurl(host.address, "00")).snapshot().offer.peer)
        waitUntil("the peer is gone") { host.id to false in connections }
        assertTrue(JSONObject(lnd.cli("listpeers")).getJSONArray("peers").isEmpty)
        say("no channel, and connected for the host's sake: LND lets go of the peer, and tells so")
    }

    /** Accepts a host's offer with a secret; the host answers once it has seen what it should see. */
    private suspend fun ask(secret: String, answer: () -> Unit): ChannelOutcome = coroutineScope {
        val request = client.fetch(hostedLnurl(host.address, secret))
        atHost.clear()
        val accepting = async { request.accept() }
        waitUntil("the host is asked") { atHost.any { it.type == INVOKE } || accepting.isCompleted }
        val asked = atHost.single { it.type == INVOKE }
        // The wallet's newest address that nobody has paid to.
        val address = JSONObject(lnd.cli("newaddress", "--unused", "p2wkh")).getString("address")
        val script = JSONObject(chain("validateaddress", address)).getString("scriptPubKey")
        assertEquals("${REGTEST}0016${script}0001$secret", asked.payload.toHexString())
        assertEquals(lnd.id, asked.peerId)
        answer()
        accepting.await()
    }

    private suspend fun opens(service: NpmService): Pair<ChannelRequest, IncomingChannel> = coroutineScope {
        val request = client.fetch(decodeLnurl(service.offer(CAPACITY_SAT, PUSH_SAT)))
        val reporting = launch {
            while (true) {
                reports.reportChannels()
                delay(POLL)
            }
        }
        val channel = (request.accept() as ChannelOutcome.Funded).channel
        reporting.cancel()
        val expected = IncomingChannel(
            peerId = host.id,
            stage = ChannelStage.FUNDED,
            channelId = channel.channelId,
            capacitySat = CAPACITY_SAT.toULong(),
            pushMsat = PUSH_SAT.toULong() * 1000u,
            isAnnounced = false,
            confirmations = 0u,
            confirmationsRequired = BLOCKS,
        )
        assertEquals(expected, channel)
        // It lets one channel of a peer wait for its blocks.
        val full = ChannelConcern.TooManyPending(1u)
        assertEquals(listOf<ChannelConcern>(full), request.preflight())
        request to channel
    }

    private suspend fun neverConfirms(request: ChannelRequest) {
        waitUntil("the funding transaction") { !JSONArray(chain("getrawmempool")).isEmpty }
        // No block holds what pays less than nothing.
        chain("prioritisetransaction", JSONArray(chain("getrawmempool")).getString(0), "0", "-100000000")
        chain("generatetodescriptor", "2016", "raw(51)")
        waitUntil("LND gives the channel up", MANY_BLOCKS_LIMIT) {
            reports.reportChannels()
            request.snapshot().state in WAITING
        }
        val state = request.snapshot().state
        say("2016 blocks without its funding transaction: LND gave it up, and the request waits, $state")
    }

    private fun hostSends(type: UShort, payload: ByteArray) {
        hostRest.post(
            "/v1/custommessage",
            "peer" to Base64.encode(lnd.id.hexToByteArray()),
            "type" to type.toInt(),
            "data" to Base64.encode(payload),
        )
    }

    /** An offer that stands in the LNURL itself. */
    private fun hostedLnurl(address: String, secret: String) =
        decodeLnurl(encodeLnurl("https://host.example/?tag=hostedChannelRequest&uri=$address&k1=$secret"))
}
