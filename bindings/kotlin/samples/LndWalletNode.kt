package dev.lnurlchannel.samples

import dev.lnurlchannel.NodeReadiness
import dev.lnurlchannel.PeerAddress
import dev.lnurlchannel.WalletNode
import dev.lnurlchannel.socketAddress
import java.util.concurrent.ConcurrentHashMap
import kotlin.io.encoding.Base64
import org.json.JSONObject

private const val CONNECT_S = 20
private const val INIT_POLLS = 100
private const val POLL_MS = 100L
private const val BECH32_DIGITS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

/**
 * A wallet whose node is an LND, for both kinds of channels. `LndReports.kt` has the other direction.
 *
 * The macaroon: `lncli bakemacaroon info:read peers:read peers:write offchain:read offchain:write
 * onchain:read address:write`. For hosted channels LND runs with `--protocol.custom-init=257`, and 32973 for older
 * hosts; their messages need no flag, as their types are in the range that LND leaves to others.
 *
 * [maxPendingChannels] is LND's option of that name, and [reachesOnion] whether it runs with Tor: it tells
 * neither, but with its whole log.
 */
class LndWalletNode(
    private val lnd: LndRest,
    private val maxPendingChannels: UInt = 1u,
    private val reachesOnion: Boolean? = null,
) : WalletNode {
    /** Peers that LND had no connection to before. */
    private val connectedHere: MutableSet<String> = ConcurrentHashMap.newKeySet()

    override fun nodeId(): String = lnd.get("/v1/getinfo").getString("identity_pubkey")

    /** LND keeps a reserve only for announced channels that it funds itself: none for those of others. */
    override fun readiness(peer: PeerAddress): NodeReadiness {
        val channels = channels(peer)
        val balance = lnd.get("/v1/balance/blockchain")
        val (confirmed, kept) =
            listOf("confirmed_balance", "reserved_balance_anchor_chan").map { balance.getString(it).toLong() }
        return NodeReadiness(
            channelIds = channels.mapNotNull { it.channel.channelId },
            onchainSat = (confirmed - kept).coerceAtLeast(0).toULong(),
            anchorReserveSat = 0u,
            acceptsAnnounced = true,
            acceptsUnannounced = true,
            // That takes a ChannelAcceptor: see `LndReports`.
            acceptsZeroConf = false,
            pendingChannels = channels.count { it.isPending }.toUInt(),
            maxPendingChannels = maxPendingChannels,
            reachesOnion = reachesOnion,
            hasCustomMessages = true,
        )
    }

    /** LND remembers a peer by itself once it has a channel with it. */
    override fun connect(peer: PeerAddress): Boolean {
        val address = JSONObject(mapOf("pubkey" to peer.nodeId, "host" to peer.socketAddress))
        if (features(peer) == null) {
            // LND alone would try for two minutes. A slow Tor may need longer; then `LndRest` has to wait longer too.
            lnd.post("/v1/peers", "addr" to address, "timeout" to CONNECT_S)
            connectedHere += peer.nodeId
        }
        // LND answers before `init`, with which the peer's features come.
        repeat(INIT_POLLS) {
            if ((features(peer)?.length() ?: 0) > 0) return true
            Thread.sleep(POLL_MS)
        }
        return false
    }

    override fun releasePeer(peer: PeerAddress) {
        if (!connectedHere.remove(peer.nodeId) || channels(peer).isNotEmpty()) return
        if (features(peer) != null) lnd.delete("/v1/peers/${peer.nodeId}")
    }

    override fun sendPeerMessage(peerId: String, messageType: UShort, payload: ByteArray): Boolean {
        val peer = Base64.encode(peerId.hexToByteArray())
        lnd.post("/v1/custommessage", "peer" to peer, "type" to messageType.toInt(), "data" to Base64.encode(payload))
        return true
    }

    /** Version 0, and the program of a new address, which bech32 holds in groups of five bits. */
    override fun refundScriptPubkey(requestId: String): ByteArray {
        val address = lnd.get("/v1/newaddress?type=WITNESS_PUBKEY_HASH").getString("address")
        val groups = address.substringAfterLast('1').drop(1).dropLast(6).map(BECH32_DIGITS::indexOf)
        val bits = groups.joinToString("") { it.toString(2).padStart(5, '0') }
        return byteArrayOf(0, 20) + bits.chunked(8) { it.toString().toInt(2).toByte() }
    }

    private fun channels(peer: PeerAddress): List<LndChannel> =
        lnd.channels().filter { it.channel.peerId == peer.nodeId }

    /** None if the peer is not connected. */
    private fun features(peer: PeerAddress): JSONObject? = lnd.get("/v1/peers").getJSONArray("peers").objects()
        .find { it.getString("pub_key") == peer.nodeId }?.getJSONObject("features")
}
