package dev.lnurlchannel.support

import dev.lnurlchannel.NodeReadiness
import dev.lnurlchannel.PeerAddress
import dev.lnurlchannel.WalletNode
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

/** A key on the curve (its generator) that is nobody else's. */
const val NODE_ID = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"

/** A node of plain functions: it speaks no Lightning, and does as it is told. */
class PlainNode(
    val onNodeId: () -> String = { NODE_ID },
    val onReadiness: (PeerAddress) -> NodeReadiness = { NodeReadiness(channelIds = emptyList()) },
    val onConnect: (PeerAddress) -> Boolean = { true },
    val onRelease: (PeerAddress) -> Unit = {},
    val onSend: (ByteArray) -> Boolean = { true },
    val onScript: () -> ByteArray = { P2WPKH },
) : WalletNode {
    override fun nodeId(): String = onNodeId()

    override fun readiness(peer: PeerAddress): NodeReadiness = onReadiness(peer)

    override fun connect(peer: PeerAddress): Boolean = onConnect(peer)

    override fun releasePeer(peer: PeerAddress): Unit = onRelease(peer)

    override fun sendPeerMessage(peerId: String, messageType: UShort, payload: ByteArray): Boolean =
        onSend(payload)

    override fun refundScriptPubkey(requestId: String): ByteArray = onScript()
}

/** Holds whoever passes until it opens, and tells when the first has come. */
class Gate {
    private val reached = CountDownLatch(1)
    private val opened = CountDownLatch(1)

    fun pass() {
        reached.countDown()
        await(opened)
    }

    fun awaitReached() = await(reached)

    fun open() = opened.countDown()
}

fun await(latch: CountDownLatch) {
    check(latch.await(LIMIT.toMillis(), TimeUnit.MILLISECONDS)) { "it did not come in time" }
}
