package dev.lnurlchannel.samples

import dev.lnurlchannel.ChannelClientInterface
import dev.lnurlchannel.ChannelStage
import dev.lnurlchannel.IncomingChannel
import kotlin.experimental.xor
import kotlin.io.encoding.Base64
import org.json.JSONObject

/**
 * Reports what an LND shows to the client: messages as they come, channels as it lists them.
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

    /** Before each `accept`, so that older channels are known as such; then every few seconds. */
    fun reportChannels() {
        val pending = lnd.get("/v1/channels/pending").getJSONArray("pending_open_channels").objects()
        pending.map { it.getJSONObject("channel") }
            .filter { it.getString("initiator") == "INITIATOR_REMOTE" }
            .forEach { report(it, peerId = it.getString("remote_node_pub"), pushSat = it.getString("local_balance")) }
        val open = lnd.get("/v1/channels").getJSONArray("channels").objects()
        open.filterNot { it.getBoolean("initiator") }
            .forEach { report(it, peerId = it.getString("remote_pubkey"), pushSat = it.getString("push_amount_sat")) }
        // All that there ever were: what was reported before changes nothing.
        val failed = lnd.get("/v1/channels/closed?funding_canceled=true").getJSONArray("channels").objects()
        failed.forEach {
            client.reportChannelFailed(it.getString("remote_pubkey"), channelId(it.getString("channel_point")))
        }
    }

    private fun report(channel: JSONObject, peerId: String, pushSat: String) = client.reportIncomingChannel(
        IncomingChannel(
            peerId,
            channelId(channel.getString("channel_point")),
            ChannelStage.FUNDED,
            capacitySat = channel.getString("capacity").toULong(),
            pushMsat = pushSat.toULong() * 1000u,
            isAnnounced = !channel.getBoolean("private"),
        ),
    )

    /** BOLT-2: the funding transaction's hash, XORed with the number of its output. */
    private fun channelId(channelPoint: String): String {
        val (hash, output) = channelPoint.split(':')
        val id = hash.hexToByteArray().reversedArray()
        for (i in 0..1) id[31 - i] = id[31 - i] xor (output.toInt() shr 8 * i).toByte()
        return id.toHexString()
    }
}
