package dev.lnurlchannel

import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext
import kotlinx.coroutines.runBlocking

/**
 * A [WalletNode] for wallets whose node is driven by coroutines. See there for each method.
 *
 * The last two are for hosted channels only; a wallet without them leaves them out.
 */
public interface SuspendWalletNode {
    /** See [WalletNode.nodeId]. */
    public suspend fun nodeId(): String

    /** See [WalletNode.readiness]. */
    public suspend fun readiness(peer: PeerAddress): NodeReadiness

    /** See [WalletNode.connect]. */
    public suspend fun connect(peer: PeerAddress): Boolean

    /** See [WalletNode.releasePeer]. */
    public suspend fun releasePeer(peer: PeerAddress)

    /** See [WalletNode.sendPeerMessage]. */
    public suspend fun sendPeerMessage(peerId: String, messageType: UShort, payload: ByteArray): Boolean =
        throw WalletNodeException.Unsupported(NO_HOSTED_CHANNELS)

    /** See [WalletNode.refundScriptPubkey]. */
    public suspend fun refundScriptPubkey(requestId: String): ByteArray =
        throw WalletNodeException.Unsupported(NO_HOSTED_CHANNELS)
}

/**
 * This node as the client takes it.
 *
 * The methods run in [context], by default on the library's background thread, which waits for
 * them in either case. With the context of a scope they are children of it: cancelling the scope
 * ends a method that runs, and fails the methods from then on. With a dispatcher in [context], a
 * method must not wait for [ChannelClient.shutdown], which waits for that method.
 */
public fun SuspendWalletNode.asWalletNode(context: CoroutineContext = EmptyCoroutineContext): WalletNode =
    BlockingWalletNode(this, context)

private class BlockingWalletNode(
    private val node: SuspendWalletNode,
    private val context: CoroutineContext,
) : WalletNode {
    override fun nodeId(): String = runBlocking(context) { node.nodeId() }

    override fun readiness(peer: PeerAddress): NodeReadiness = runBlocking(context) { node.readiness(peer) }

    override fun connect(peer: PeerAddress): Boolean = runBlocking(context) { node.connect(peer) }

    override fun releasePeer(peer: PeerAddress): Unit = runBlocking(context) { node.releasePeer(peer) }

    override fun sendPeerMessage(peerId: String, messageType: UShort, payload: ByteArray): Boolean =
        runBlocking(context) { node.sendPeerMessage(peerId, messageType, payload) }

    override fun refundScriptPubkey(requestId: String): ByteArray =
        runBlocking(context) { node.refundScriptPubkey(requestId) }
}
