package dev.lnurlchannel.samples

import dev.lnurlchannel.ChannelStage
import dev.lnurlchannel.IncomingChannel
import kotlin.experimental.xor
import org.json.JSONObject

/** A channel as LND lists it; the peer opened it, or the wallet did. */
class LndChannel(val isIncoming: Boolean, val channel: IncomingChannel)

/** A channel that is gone, or about to be. */
class LndClosing(val peerId: String, val channelId: String, val reason: String)

/** All that LND has: pending ones, and those that both sides have found confirmed. */
fun LndRest.channels(): List<LndChannel> {
    val pending = get("/v1/channels/pending").getJSONArray("pending_open_channels").objects()
        .map { it.getJSONObject("channel") }
        .map {
            LndChannel(
                isIncoming = it.getString("initiator") == "INITIATOR_REMOTE",
                incoming(it, ChannelStage.FUNDED, it.getString("remote_node_pub"), it.getString("local_balance")),
            )
        }
    val open = get("/v1/channels").getJSONArray("channels").objects().map {
        // `active` once both have sent `channel_ready`, while the peer is connected.
        val stage = if (it.getBoolean("active")) ChannelStage.READY else ChannelStage.FUNDED
        LndChannel(
            isIncoming = !it.getBoolean("initiator"),
            incoming(it, stage, it.getString("remote_pubkey"), it.getString("push_amount_sat")),
        )
    }
    return pending + open
}

/** All that there ever were, and those whose closing is under way. */
fun LndRest.closings(): List<LndClosing> {
    val closed = get("/v1/channels/closed").getJSONArray("channels").objects()
        .map { closing(it, it.getString("remote_pubkey"), it.getString("close_type")) }
    val pending = get("/v1/channels/pending")
    val closing = listOf("waiting_close_channels", "pending_force_closing_channels").flatMap { state ->
        pending.getJSONArray(state).objects().map { it.getJSONObject("channel") }
            .map { closing(it, it.getString("remote_node_pub"), state.uppercase()) }
    }
    return closed + closing
}

private fun incoming(channel: JSONObject, stage: ChannelStage, peerId: String, pushSat: String) = IncomingChannel(
    peerId,
    stage,
    channelId(channel),
    capacitySat = channel.getString("capacity").toULong(),
    pushMsat = pushSat.toULong() * 1000u,
    isAnnounced = !channel.getBoolean("private"),
)

private fun closing(channel: JSONObject, peerId: String, reason: String) =
    LndClosing(peerId, channelId(channel), reason)

/** BOLT-2: the funding transaction's hash, XORed with the number of its output. */
private fun channelId(channel: JSONObject): String {
    val (hash, output) = channel.getString("channel_point").split(':')
    val id = hash.hexToByteArray().reversedArray()
    for (i in 0..1) id[31 - i] = id[31 - i] xor (output.toInt() shr 8 * i).toByte()
    return id.toHexString()
}
