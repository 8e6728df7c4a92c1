package bench

import dev.lnurlchannel.BitcoinNetwork
import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelEvent
import dev.lnurlchannel.ClientConfig
import dev.lnurlchannel.IncomingChannel
import dev.lnurlchannel.PeerAddress
import dev.lnurlchannel.WalletNode
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
        network = BitcoinNetwork.REGTEST,
        extraRootCertificates = File(args.single()).readText(),
        allowPrivateHosts = true,
    )
    node.client = ChannelClient(node, config)
    for (lnurl in generateSequence(::readLine)) {
        val start = System.nanoTime()
        runBlocking { node.client.fetch(decodeLnurl(lnurl)).accept() }
        println(System.nanoTime() - start)
    }
}

/** Speaks no Lightning: it reports a channel as soon as one is awaited. */
private class ReportingNode : WalletNode {
    lateinit var client: ChannelClient
    private var channels = 0

    override fun nodeId() = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"

    override fun connect(peer: PeerAddress) = true

    override fun sendPeerMessage(peerId: String, messageType: UShort, payload: ByteArray) = false

    override fun refundScriptPubkey(requestId: String) = byteArrayOf()

    override fun onChannelEvent(requestId: String, event: ChannelEvent) {
        if (event is ChannelEvent.AwaitingChannel) {
            val channelId = "%064x".format(++channels)
            client.reportIncomingChannel(IncomingChannel(peerId = event.peer.nodeId, channelId = channelId))
        }
    }
}
