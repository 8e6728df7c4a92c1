package com.example.wallet

import dev.lnurlchannel.BaseWalletNode
import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.ClientConfig

/**
 * Where your own Lightning node goes; [WalletApp] makes it. Besides these methods write those of `WalletNode`,
 * the last two only if the wallet has hosted channels.
 *
 * To lend an ldk-node or an LND, see `bindings/kotlin/samples`.
 */
abstract class Wallet : BaseWalletNode() {
    /** The chain that the node is on, a proxy for Tor, and the like. */
    abstract fun config(folder: String): ClientConfig

    /**
     * Starts the node. From now on each of its events is reported to [client], off the main thread. If it throws,
     * such as `LnurlChannelException.NodeFailed`, which the user sees, it is called again, with another client.
     */
    abstract fun start(client: ChannelClient)

    /**
     * A channel has come. Of a hosted one the wallet goes on from the message. Off the main thread; the same may
     * be told again, also after a restart.
     */
    abstract fun arrived(outcome: ChannelOutcome)
}
