package dev.lnurlchannel

/**
 * A [WalletNode] whose every failure reaches the library as a [WalletNodeException].
 *
 * The generated bindings hand exceptions to the library, but not errors: an [Error] (`TODO()`, a
 * class that shrinking removed, a stack overflow) vanishes on its way, and the library reads a
 * default value as the method's result. It takes that for a failure, but cannot name the cause.
 */
class GuardedWalletNode(private val node: WalletNode) : WalletNode {
    override fun nodeId(): String = guard { node.nodeId() }

    override fun connect(peer: PeerAddress): Boolean = guard { node.connect(peer) }

    override fun sendPeerMessage(peerId: String, messageType: UShort, payload: ByteArray): Boolean =
        guard { node.sendPeerMessage(peerId, messageType, payload) }

    override fun refundScriptPubkey(requestId: String): ByteArray =
        guard { node.refundScriptPubkey(requestId) }

    override fun onChannelEvent(requestId: String, event: ChannelEvent): Unit =
        guard { node.onChannelEvent(requestId, event) }
}

/** This node, with every failure of its methods turned into a [WalletNodeException]. */
fun WalletNode.guarded(): WalletNode = this as? GuardedWalletNode ?: GuardedWalletNode(this)

private inline fun <T> guard(call: () -> T): T =
    try {
        call()
    } catch (exception: WalletNodeException) {
        throw exception
    } catch (thrown: Throwable) {
        throw WalletNodeException.Failed(nameOf(thrown)).apply { initCause(thrown) }
    }

/** The class and the first line of the text: a stack trace helps nobody who reads a reason. */
private fun nameOf(thrown: Throwable): String =
    try {
        thrown.toString().lineSequence().first()
    } catch (_: Throwable) {
        // Its text is the wallet's own code, which may fail as well.
        thrown.javaClass.name
    }
