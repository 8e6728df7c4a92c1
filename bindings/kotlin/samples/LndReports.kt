package dev.lnurlchannel.samples

import dev.lnurlchannel.ChannelClientInterface
import kotlin.io.encoding.Base64

/**
 * Reports what an LND shows to the client: messages and connections as they come, channels as it lists
 * them.
 *
 * The limits: LND has accepted a channel before it lists it, so a verdict can turn none down. That
 * takes LND's ChannelAcceptor, a stream in both directions, over gRPC or a WebSocket. LND takes one
 * unconfirmed channel of each peer, if not told otherwise with `--maxpendingchannels`. And it gives up
 * a channel that does not confirm only after 2016 blocks, whatever became of its funding transaction.
 */
class LndReports(private val lnd: LndRest, private val client: ChannelClientInterface) {
    /**
     * Returns or throws when the connection to LND ends, or was silent for a minute; then start it
     * again at once. LND keeps no messages: the answer of a host that comes in between is lost, and
     * `accept` ends with `NoChannel`.
     *
     * Start it well before `accept` on a host: LND does not tell when it has begun to listen.
     */
    fun reportMessages() = lnd.stream("/v1/custommessage/subscribe") { message ->
        val (peer, payload) = listOf("peer", "data").map { Base64.decode(message.getString(it)) }
        client.reportPeerMessage(peer.toHexString(), message.getInt("type").toUShort(), payload)
    }

    /** Ends as [reportMessages] does; start it again then. */
    fun reportConnections() = lnd.stream("/v1/peers/subscribe") { event ->
        client.reportPeerConnection(event.getString("pub_key"), event.getString("type") == "PEER_ONLINE")
    }

    /** Has all channels reported at once when LND tells that one has changed. Ends as [reportMessages] does. */
    fun reportChannelEvents() = lnd.stream("/v1/channels/subscribe") { reportChannels() }

    /** Every few seconds: what was reported before changes nothing. It has each block that comes. */
    fun reportChannels() {
        lnd.channels().filter { it.isIncoming }.forEach { client.reportIncomingChannel(it.channel) }
        lnd.closings().forEach { client.reportChannelClosed(it.peerId, it.channelId, it.reason) }
    }
}
