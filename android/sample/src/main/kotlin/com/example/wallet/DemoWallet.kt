package com.example.wallet

import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.ClientConfig
import dev.lnurlchannel.NodeReadiness
import dev.lnurlchannel.PeerAddress
import dev.lnurlchannel.encodeLnurl

/**
 * Plays both ends of a hosted channel and touches no network, so that the app can be tried on any phone. It
 * cannot receive a real channel: put your own node in its place.
 */
class DemoWallet : Wallet() {
    @Volatile private var client: ChannelClient? = null

    override fun config(folder: String) = ClientConfig(folder)

    override fun start(client: ChannelClient) {
        this.client = client
    }

    /** A real wallet keeps the channel, and answers the host. */
    override fun arrived(outcome: ChannelOutcome) = Unit

    override fun nodeId() = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"

    /** A real node returns the ids of its channels with the peer. */
    override fun readiness(peer: PeerAddress) = NodeReadiness(channelIds = emptyList())

    /** A real node returns true once the `init` messages are exchanged. */
    override fun connect(peer: PeerAddress): Boolean {
        client?.reportPeerConnection(peer.nodeId, true)
        return true
    }

    /** A real node disconnects, unless it needs the peer otherwise. */
    override fun releasePeer(peer: PeerAddress) = Unit

    /** A real node hands the message to the connection; the host's answer comes from its peer handler. */
    override fun sendPeerMessage(peerId: String, messageType: UShort, payload: ByteArray): Boolean {
        client?.reportPeerMessage(peerId, INIT_HOSTED_CHANNEL, DEMO_TERMS.hexToBytes())
        return true
    }

    /** A real wallet returns a script of its own: P2WPKH or P2WSH. */
    override fun refundScriptPubkey(requestId: String) = "0014751e76e8199196d454941c45d1b3a323f1433bd6".hexToBytes()

    companion object {
        private const val INIT_HOSTED_CHANNEL: UShort = 65533u

        /** 100,000 sat, all of it the host's. */
        private const val DEMO_TERMS =
            "0000000005f5e100" + // max_htlc_value_in_flight_msat
                "00000000000003e8" + // htlc_minimum_msat
                "001e" + // max_accepted_htlcs
                "0000000005f5e100" + // channel_capacity_msat
                "0000000000000000" + // initial_client_balance_msat
                "0000" // features

        /** An offer that stands in the LNURL itself, so that nothing is fetched for it. */
        fun demoLnurl(): String = encodeLnurl(
            "https://host.example/?tag=hostedChannelRequest&k1=00" +
                "&uri=02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5@host.example:9735",
        )
    }
}

private fun String.hexToBytes() = chunked(2).map { it.toInt(16).toByte() }.toByteArray()
