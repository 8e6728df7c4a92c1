package dev.lnurlchannel.interop

import dev.lnurlchannel.BitcoinNetwork
import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelConcern
import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.ChannelRequest
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.ChannelRequests
import dev.lnurlchannel.ChannelStage
import dev.lnurlchannel.ChannelVerdict
import dev.lnurlchannel.ChannelVisibility
import dev.lnurlchannel.ClientConfig
import dev.lnurlchannel.IncomingChannel
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.NodeProblem
import dev.lnurlchannel.decodeLnurl
import dev.lnurlchannel.encodeLnurl
import dev.lnurlchannel.samples.LdkNodeLog
import dev.lnurlchannel.samples.LdkNodeReports
import dev.lnurlchannel.samples.LdkNodeWalletNode
import java.io.File
import java.nio.file.Path
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.filterIsInstance
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import org.lightningdevkit.ldknode.AnchorChannelsConfig
import org.lightningdevkit.ldknode.Builder
import org.lightningdevkit.ldknode.Event
import org.lightningdevkit.ldknode.Network
import org.lightningdevkit.ldknode.Node
import org.lightningdevkit.ldknode.defaultConfig

private const val CAPACITY_SAT = 200_000
private const val PUSH_SAT = 20_000
private const val RESERVE_SAT = 25_000

/** What ldk-node waits for. */
private const val BLOCKS = 6u
private val WAITING = setOf(ChannelRequestState.AWAITING, ChannelRequestState.OUTCOME_UNKNOWN)

/** A new wallet on ldk-node, with nothing on chain, which trusts the service's LND to close channels. */
class Row5Test {
    @TempDir
    lateinit var folder: Path

    private val lnd = Lnd("service")
    private val certificate = System.getProperty("service.certificate")
    private val log = LdkNodeLog()
    private val node by lazy { build() }
    private val client by lazy { ChannelClient(LdkNodeWalletNode(node), ChannelRequests(), config()) }
    private val reports by lazy { LdkNodeReports(node, client) }
    private val handled = MutableSharedFlow<Event>(replay = 64)
    private val verdicts = mutableListOf<ChannelVerdict>()
    private val app = CoroutineScope(Dispatchers.Default)

    @AfterEach
    fun stop() = runBlocking {
        app.cancel()
        client.shutdown()
        node.stop()
    }

    @Test
    fun `a service's LND opens to ldk-node`() = timed {
        startApp()
        hasNoHostedChannels()
        NpmService(lnd, certificate, System.getProperty("service.key")).use { service ->
            val (request, channel) = opens(service)
            say("LUD-02, nothing on chain: at ChannelPending, an unannounced channel of the service's capacity")
            isReady(request, channel)
            isTurnedDownAsAnnounced(service)
            awaitsAgainAfterAFailedOpening(service)
            staysReady(request, channel)
        }
    }

    private fun build(): Node {
        val config = defaultConfig()
        config.storageDirPath = folder.resolve("node").toString()
        config.network = Network.REGTEST
        config.anchorChannelsConfig = AnchorChannelsConfig(listOf(lnd.id), RESERVE_SAT.toULong())
        val builder = Builder.fromConfig(config)
        val port = System.getenv("BITCOIND_RPC_PORT").toUShort()
        builder.setCustomLogger(log)
        builder.setChainSourceBitcoindRpc("127.0.0.1", port, "interop", "interop")
        return builder.build()
    }

    private fun config() = ClientConfig(
        network = BitcoinNetwork.REGTEST,
        storageDir = folder.resolve("requests").toString(),
        extraRootCertificates = File(certificate).readText(),
        allowPrivateHosts = true,
    )

    /** In the order that the sample asks for, and then the app's loop. */
    private fun startApp() {
        val reports = reports
        log.client = client
        node.start()
        app.launch {
            while (true) {
                val event = node.nextEventAsync()
                reports.report(event)?.let { verdicts += it }
                node.eventHandled()
                handled.emit(event)
            }
        }
        app.launch {
            while (true) {
                reports.reportConnections()
                reports.reportConfirmations()
                delay(POLL)
            }
        }
    }

    private suspend fun hasNoHostedChannels() {
        val text = encodeLnurl("https://host.example/?tag=hostedChannelRequest&uri=${lnd.address}&k1=00")
        val request = client.fetch(decodeLnurl(text))
        val failed = runCatching { request.accept() }.exceptionOrNull() as LnurlChannelException.NodeFailed
        assertEquals(NodeProblem.UNSUPPORTED, failed.problem)
        say("LUD-07: NodeFailed, \"${failed.reason}\"")
    }

    private suspend fun opens(service: NpmService): Pair<ChannelRequest, IncomingChannel> {
        val request = client.fetch(decodeLnurl(service.offer(CAPACITY_SAT, PUSH_SAT)))
        verdicts.clear()
        val channel = (request.accept() as ChannelOutcome.Funded).channel
        val pending = handled<Event.ChannelPending> { it.channelId == channel.channelId }
        val expected = IncomingChannel(
            peerId = lnd.id,
            stage = ChannelStage.FUNDED,
            channelId = pending.channelId,
            formerChannelId = pending.formerTemporaryChannelId,
            capacitySat = CAPACITY_SAT.toULong(),
            isAnnounced = false,
            isZeroConf = false,
            confirmations = 0u,
            confirmationsRequired = BLOCKS,
        )
        assertEquals(expected, channel)
        assertEquals(listOf<ChannelVerdict>(ChannelVerdict.Expected(request.requestId())), verdicts)
        assertEquals(ChannelRequestState.ARRIVED, request.snapshot().state)
        assertTrue(request.snapshot().isPeerConnected)
        assertTrue(node.listPeers().single { it.nodeId == lnd.id }.isPersisted, "remembered with its channel")
        return request to channel
    }

    private suspend fun isReady(request: ChannelRequest, channel: IncomingChannel) {
        chain("generatetodescriptor", "6", "raw(51)")
        handled<Event.ChannelReady> { it.channelId == channel.channelId }
        assertEquals(PUSH_SAT.toULong(), node.listBalances().totalLightningBalanceSats)
        assertEquals(ChannelRequestState.READY, request.snapshot().state)
        say("six blocks: ready, with what the service pushed")
    }

    /** Which the node tells beforehand, and its log afterwards. */
    private suspend fun isTurnedDownAsAnnounced(service: NpmService) {
        val request = client.fetch(decodeLnurl(service.offer(CAPACITY_SAT, PUSH_SAT)))
        val announced = ChannelVisibility.ANNOUNCED
        val told = listOf<ChannelConcern>(ChannelConcern.VisibilityRefused(announced))
        assertEquals(told, request.preflight(announced))
        assertTrue(runCatching { request.accept(announced) }.exceptionOrNull() is LnurlChannelException.Refused)
        val concerns = request.snapshot().concerns
        assertEquals(told, concerns.dropLast(1))
        val failed = concerns.last() as ChannelConcern.ProposalFailed
        assertEquals("missing configuration: Node alias and listening addresses are not configured", failed.reason)
        assertEquals(emptyList<ChannelConcern>(), request.preflight())
        say("announced: preflight says so, and then ldk-node's log: \"${failed.reason}\"")
    }

    private suspend fun awaitsAgainAfterAFailedOpening(service: NpmService) {
        val (request, channel) = opens(service)
        close(channel)
        // The service answers once the channel is negotiated: before or after it is closed.
        val state = request.snapshot().state
        assertTrue(state in WAITING) { state.name }
        say("closed before it was ready: the request waits again, $state")
    }

    private suspend fun staysReady(request: ChannelRequest, channel: IncomingChannel) {
        // As it is when the app ends before `eventHandled`, and starts again.
        reports.report(close(channel))
        assertEquals(ChannelRequestState.READY, request.snapshot().state)
        say("closed once it was ready, which was shown twice: the request had its channel")
    }

    private suspend fun close(channel: IncomingChannel): Event {
        val listed = node.listChannels().single { it.channelId == channel.channelId }
        node.forceCloseChannel(listed.userChannelId, lnd.id, null)
        return handled<Event.ChannelClosed> { it.channelId == channel.channelId }
    }

    /** An event, once the app has handled it. */
    private suspend inline fun <reified E : Event> handled(crossinline wanted: (E) -> Boolean): E =
        handled.filterIsInstance<E>().first { wanted(it) }
}
