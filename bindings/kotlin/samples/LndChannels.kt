package dev.lnurlchannel.samples

import dev.lnurlchannel.ChannelStage
import dev.lnurlchannel.IncomingChannel
import kotlin.experimental.xor
import org.json.JSONObject

/** A channel as LND lists it; the peer opened it, or the wallet did. */
class LndChannel(val isIncoming: Boolean, val isPending: Boolean, val channel: IncomingChannel)

/** A channel that is gone, or about to be. */
class LndClosing(val peerId: String, val channelId: String, val reason: String)

/** All that LND has: pending ones, and those that both sides have found confirmed. */
fun LndRest.channels(): List<LndChannel> {
    // A block may come between the answers, and then the confirmations would not go with the lists.
    while (true) {
        val height = height()
        val channels = channels(height)
        if (height() == height) return channels
    }
}

private fun LndRest.height(): Long = get("/v1/getinfo").getLong("block_height")

private fun LndRest.channels(height: Long): List<LndChannel> {
    val pending = get("/v1/channels/pending").getJSONArray("pending_open_channels").objects()
        .map { pending ->
            val it = pending.getJSONObject("channel")
            val confirmations = confirmations(pending.getLong("confirmation_height"), height)
            val missing = pending.getInt("confirmations_until_active").toUInt()
            val peerId = it.getString("remote_node_pub")
            LndChannel(
                isIncoming = it.getString("initiator") == "INITIATOR_REMOTE",
                isPending = true,
                incoming(it, ChannelStage.FUNDED, peerId, it.getString("local_balance"))
                    .copy(confirmations = confirmations, confirmationsRequired = confirmations + missing),
            )
        }
    val open = get("/v1/channels").getJSONArray("channels").objects().map {
        // `active` once both have sent `channel_ready`, while the peer is connected.
        val stage = if (it.getBoolean("active")) ChannelStage.READY else ChannelStage.FUNDED
        LndChannel(
            isIncoming = !it.getBoolean("initiator"),
            isPending = false,
            incoming(it, stage, it.getString("remote_pubkey"), it.getString("push_amount_sat"))
                .copy(isZeroConf = it.getBoolean("zero_conf"), confirmations = confirmations(funded(it), height)),
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

/** The short id of a channel begins with its block; that of one without a block stands elsewhere. */
private fun funded(channel: JSONObject): Long =
    channel.getString(if (channel.getBoolean("zero_conf")) "zero_conf_confirmed_scid" else "chan_id").toLong() shr 40

private fun confirmations(funded: Long, height: Long): UInt =
    if (funded == 0L) 0u else (height + 1 - funded).coerceAtLeast(0).toUInt()

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
