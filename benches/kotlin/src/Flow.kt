package bench

import dev.lnurlchannel.BaseWalletNode
import dev.lnurlchannel.BitcoinNetwork
import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelListener
import dev.lnurlchannel.ChannelRequestSnapshot
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.ChannelStage
import dev.lnurlchannel.ChannelStep
import dev.lnurlchannel.ClientConfig
import dev.lnurlchannel.IncomingChannel
import dev.lnurlchannel.NodeReadiness
import dev.lnurlchannel.PeerAddress
import dev.lnurlchannel.decodeLnurl
import java.io.File
import kotlinx.coroutines.runBlocking

/**
 * Runs the flow for each LNURL on its input, and answers each with the nanoseconds that it took.
 * Its argument is the file with the certificate of the service's authority.
 */
fun main(args: Array<String>) {
    val node = ReportingNode()
    val config = ClientConfig(
        storageDir = null,
        network = BitcoinNetwork.REGTEST,
        extraRootCertificates = File(args.single()).readText(),
        allowPrivateHosts = true,
    )
    node.client = ChannelClient(node, node, config)
    for (lnurl in generateSequence(::readLine)) {
        val start = System.nanoTime()
        runBlocking { node.client.fetch(decodeLnurl(lnurl)).accept() }
        println(System.nanoTime() - start)
    }
}

/** Speaks no Lightning: it reports a channel as soon as one is awaited. */
private class ReportingNode : BaseWalletNode(), ChannelListener {
    lateinit var client: ChannelClient
    private val reported = mutableSetOf<String>()

    override fun nodeId() = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"

    override fun readiness(peer: PeerAddress) = NodeReadiness(channelIds = emptyList())

    override fun connect(peer: PeerAddress) = true

    override fun releasePeer(peer: PeerAddress) = Unit

    override fun onRequestChanged(request: ChannelRequestSnapshot, step: ChannelStep) {
        if (request.state == ChannelRequestState.AWAITING && reported.add(request.requestId)) {
            val channelId = "%064x".format(reported.size)
            client.reportIncomingChannel(IncomingChannel(request.offer.peer.nodeId, ChannelStage.FUNDED, channelId))
        }
    }
}
