package dev.lnurlchannel

import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext
import kotlinx.coroutines.runBlocking

/** A [WalletNode] for wallets whose node is driven by coroutines. See there for each method. */
interface SuspendWalletNode {
    /** See [WalletNode.nodeId]. */
    suspend fun nodeId(): String

    /** See [WalletNode.connect]. */
    suspend fun connect(peer: PeerAddress): Boolean

    /** See [WalletNode.sendPeerMessage]. */
    suspend fun sendPeerMessage(peerId: String, messageType: UShort, payload: ByteArray): Boolean

    /** See [WalletNode.refundScriptPubkey]. */
    suspend fun refundScriptPubkey(requestId: String): ByteArray

    /** See [WalletNode.onChannelEvent]. */
    suspend fun onChannelEvent(requestId: String, event: ChannelEvent)
}

/**
 * This node as the client takes it, [guarded].
 *
 * The methods run in [context], by default on the library's background thread, which waits for
 * them in either case. With the context of a scope they are children of it: cancelling the scope
 * ends a method that runs, and fails the methods from then on. With a dispatcher in [context], a
 * method must not wait for [ChannelClient.shutdown], which waits for that method.
 */
fun SuspendWalletNode.asWalletNode(context: CoroutineContext = EmptyCoroutineContext): WalletNode =
    BlockingWalletNode(this, context).guarded()

private class BlockingWalletNode(
    private val node: SuspendWalletNode,
    private val context: CoroutineContext,
) : WalletNode {
    override fun nodeId(): String = runBlocking(context) { node.nodeId() }

    override fun connect(peer: PeerAddress): Boolean = runBlocking(context) { node.connect(peer) }

    override fun sendPeerMessage(peerId: String, messageType: UShort, payload: ByteArray): Boolean =
        runBlocking(context) { node.sendPeerMessage(peerId, messageType, payload) }

    override fun refundScriptPubkey(requestId: String): ByteArray =
        runBlocking(context) { node.refundScriptPubkey(requestId) }

    override fun onChannelEvent(requestId: String, event: ChannelEvent): Unit =
        runBlocking(context) { node.onChannelEvent(requestId, event) }
}
