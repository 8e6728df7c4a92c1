package dev.lnurlchannel

/**
 * A [WalletNode] without hosted channels: what is left to write are [nodeId], [readiness], [connect]
 * and [releasePeer].
 *
 * A wallet that has hosted channels overrides the other two as well. Whatever a method of any
 * [WalletNode] throws, errors such as [NotImplementedError] included, reaches the library: the call
 * that needs the method ends with [LnurlChannelException.NodeFailed], whose reason names it.
 */
public abstract class BaseWalletNode : WalletNode {
    override fun sendPeerMessage(peerId: String, messageType: UShort, payload: ByteArray): Boolean =
        throw WalletNodeException.Unsupported(NO_HOSTED_CHANNELS)

    override fun refundScriptPubkey(requestId: String): ByteArray =
        throw WalletNodeException.Unsupported(NO_HOSTED_CHANNELS)
}

internal const val NO_HOSTED_CHANNELS = "this wallet has no hosted channels"
