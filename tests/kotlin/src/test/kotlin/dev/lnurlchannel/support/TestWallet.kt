package dev.lnurlchannel.support

import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelStage
import dev.lnurlchannel.ChannelVerdict
import dev.lnurlchannel.IncomingChannel
import dev.lnurlchannel.NodeReadiness
import dev.lnurlchannel.PeerAddress
import dev.lnurlchannel.WalletNode
import java.util.HexFormat
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.concurrent.thread
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

private const val POLL_MS = 200
private val HEX = HexFormat.of()

/** Version 0, then a push of 20 bytes: a P2WPKH script. */
val P2WPKH: ByteArray = byteArrayOf(0x00, 0x14) + ByteArray(20) { 0x11 }

/** A wallet on the testbed's wallet node, which does what the README asks of wallets. */
class TestWallet(private val testbed: Testbed) : WalletNode, AutoCloseable {
    val verdicts = CopyOnWriteArrayList<ChannelVerdict>()
    private var pump: Thread? = null

    override fun nodeId(): String = testbed.walletId

    override fun readiness(peer: PeerAddress): NodeReadiness = NodeReadiness(channelIds(peer))

    override fun connect(peer: PeerAddress): Boolean = testbed.post(
        "wallet/connect",
        mapOf("node_id" to peer.nodeId, "host" to peer.host, "port" to peer.port.toInt()),
    ).flag("connected")

    override fun releasePeer(peer: PeerAddress) {
        if (channelIds(peer).isEmpty()) testbed.post("wallet/disconnect", mapOf("node_id" to peer.nodeId))
    }

    override fun sendPeerMessage(peerId: String, messageType: UShort, payload: ByteArray): Boolean =
        testbed.post(
            "wallet/send",
            mapOf(
                "peer_id" to peerId,
                "message_type" to messageType.toInt(),
                "payload_hex" to HEX.formatHex(payload),
            ),
        ).flag("sent")

    override fun refundScriptPubkey(requestId: String): ByteArray = P2WPKH

    private fun channelIds(peer: PeerAddress): List<String> =
        testbed.get("wallet/channels?node_id=${peer.nodeId}").getValue("channel_ids").jsonArray
            .map { it.jsonPrimitive.content }

    /** Reports to [client] what the node shows, until [close]. */
    fun reportTo(client: ChannelClient) = handEventsTo { report(client, it) }

    /** Hands what the node shows to [take], one event after the other on a thread of its own, until [close]. */
    fun handEventsTo(take: (JsonObject) -> Unit) {
        pump = thread(name = "wallet") {
            while (!Thread.currentThread().isInterrupted) {
                try {
                    val seen = testbed.get("wallet/events?wait_ms=$POLL_MS").getValue("events")
                    seen.jsonArray.forEach { take(it.jsonObject) }
                } catch (_: InterruptedException) {
                    return@thread
                }
            }
        }
    }

    private fun report(client: ChannelClient, event: JsonObject) {
        val peerId = event.text("peer_id")
        when (event.text("type")) {
            "OpenChannelRequest" -> decide(client, event)
            "ChannelPending" -> verdicts += client.reportIncomingChannel(
                IncomingChannel(
                    peerId, ChannelStage.FUNDED, event.text("channel_id"), event.optional("former_channel_id"),
                ),
            )
            "ChannelReady" -> verdicts += client.reportIncomingChannel(
                IncomingChannel(peerId, ChannelStage.READY, event.text("channel_id")),
            )
            "ChannelClosed" ->
                client.reportChannelClosed(peerId, event.text("channel_id"), event.optional("reason"))
            "PeerConnected" -> client.reportPeerConnection(peerId, true)
            "PeerDisconnected" -> client.reportPeerConnection(peerId, false)
            "PeerMessage" -> client.reportPeerMessage(
                peerId,
                event.text("message_type").toUShort(),
                HEX.parseHex(event.text("payload_hex")),
            )
        }
    }

    private fun decide(client: ChannelClient, event: JsonObject) {
        val (peerId, channelId) = event.text("peer_id") to event.text("channel_id")
        val channel = IncomingChannel(
            peerId,
            ChannelStage.PROPOSED,
            channelId,
            capacitySat = event.text("capacity_sat").toULong(),
            pushMsat = event.text("push_msat").toULong(),
            isAnnounced = event.flag("is_announced"),
        )
        val verdict = client.reportIncomingChannel(channel)
        verdicts += verdict
        answer(peerId, channelId, isAccepted = verdict is ChannelVerdict.Expected)
    }

    /** Accepts a proposal, or turns it down. */
    fun answer(peerId: String, temporaryId: String, isAccepted: Boolean) {
        val answer = if (isAccepted) "accept_channel" else "reject_channel"
        testbed.post("wallet/$answer", mapOf("peer_id" to peerId, "channel_id" to temporaryId))
    }

    override fun close() {
        pump?.interrupt()
        pump?.join(LIMIT.toMillis())
    }
}
