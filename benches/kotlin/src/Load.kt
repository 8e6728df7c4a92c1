package bench

import dev.lnurlchannel.BaseWalletNode
import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelRequests
import dev.lnurlchannel.ClientConfig
import dev.lnurlchannel.NodeReadiness
import dev.lnurlchannel.PeerAddress
import dev.lnurlchannel.decodeLnurl
import uniffi.lnurl_channel_floor.echo

private const val LNURL = "lnurl1dp68gurn8ghj7etcv9khqmr99e3k7mf0w4exctmrdpskumn9dsup0gp4"

/** Microseconds from before a library is loaded until its first function, or a client, has been returned. */
fun main(args: Array<String>) {
    val start = System.nanoTime()
    when (args.single()) {
        "library" -> decodeLnurl(LNURL)
        "client" -> {
            decodeLnurl(LNURL)
            ChannelClient(NoNode, ChannelRequests(), ClientConfig(storageDir = null))
        }
        "empty" -> echo(LNURL)
        else -> error("which library?")
    }
    println((System.nanoTime() - start) / 1000)
}

/** Is not called. */
private object NoNode : BaseWalletNode() {
    override fun nodeId() = ""

    override fun readiness(peer: PeerAddress) = NodeReadiness(channelIds = emptyList())

    override fun connect(peer: PeerAddress) = false

    override fun releasePeer(peer: PeerAddress) = Unit
}
