package com.example.wallet

import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelListener
import dev.lnurlchannel.testing.FakeChannelClient
import dev.lnurlchannel.testing.FakeChannelRequest
import java.util.concurrent.CompletableFuture
import org.robolectric.RuntimeEnvironment

/** The app on a client that does as the test says. */
class FakeApp : WalletApp() {
    private val left = CompletableFuture<List<FakeChannelRequest>>()
    private val made = CompletableFuture<FakeChannelClient>()

    override fun makeClient(wallet: Wallet, listener: ChannelListener): ChannelClient =
        FakeChannelClient(left.get(), listener).also { made.complete(it) }

    companion object {
        /** The client, with the requests of earlier runs. */
        fun client(vararg left: FakeChannelRequest): FakeChannelClient {
            val app = RuntimeEnvironment.getApplication() as FakeApp
            app.left.complete(left.toList())
            return app.made.get()
        }
    }
}
