package com.example.wallet

import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelListener
import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.ClientConfig
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.WalletNode
import dev.lnurlchannel.testing.FakeChannelClient
import dev.lnurlchannel.testing.FakeChannelRequest
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CopyOnWriteArrayList
import org.robolectric.RuntimeEnvironment

/** The app on a client that does as the test says. */
class FakeApp : WalletApp() {
    val wallet = FakeWallet()

    /** All that were made: one, unless the wallet did not start. */
    val clients = CopyOnWriteArrayList<FakeChannelClient>()

    private val left = CompletableFuture<List<FakeChannelRequest>>()
    private val made = CompletableFuture<FakeChannelClient>()

    override fun makeWallet(): Wallet = wallet

    override fun makeClient(wallet: Wallet, listener: ChannelListener): ChannelClient =
        FakeChannelClient(left.get(), listener).also {
            clients += it
            made.complete(it)
        }

    companion object {
        val here get() = RuntimeEnvironment.getApplication() as FakeApp

        /** The client, with the requests of earlier runs. Before this call there is none. */
        fun client(vararg left: FakeChannelRequest): FakeChannelClient {
            here.left.complete(left.toList())
            return here.made.get()
        }
    }
}

/** A wallet that notes what it takes. */
class FakeWallet : Wallet(), WalletNode by DemoWallet() {
    val arrived = CopyOnWriteArrayList<ChannelOutcome>()

    /** Why it does not start. */
    @Volatile var startProblem: LnurlChannelException? = null

    /** Why it takes no channel. */
    @Volatile var arrivalProblem: LnurlChannelException? = null

    override fun config(folder: String) = ClientConfig(folder)

    override fun start(client: ChannelClient) {
        startProblem?.let { throw it }
    }

    override fun arrived(outcome: ChannelOutcome) {
        arrivalProblem?.let { throw it }
        arrived += outcome
    }
}
