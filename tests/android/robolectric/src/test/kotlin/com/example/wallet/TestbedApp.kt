package com.example.wallet

import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelListener
import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.ClientConfig
import dev.lnurlchannel.PeerAddress
import dev.lnurlchannel.WalletNode
import dev.lnurlchannel.support.TestWallet
import dev.lnurlchannel.support.Testbed
import java.util.concurrent.CopyOnWriteArrayList
import kotlinx.coroutines.runBlocking
import org.robolectric.RuntimeEnvironment

/** The app with the real library, and a real node in the place where a wallet puts its own. */
open class TestbedApp : WalletApp() {
    val testbed = Testbed()
    val wallet by lazy { wallet(TestWallet(testbed)) }

    @Volatile var client: ChannelClient? = null
        private set

    protected open fun wallet(node: TestWallet) = TestbedWallet(testbed, node)

    override fun makeWallet(): Wallet = wallet

    override fun makeClient(wallet: Wallet, listener: ChannelListener): ChannelClient =
        super.makeClient(wallet, listener).also { client = it }

    /** Stops reporting, then the client, then the nodes. */
    fun end() {
        wallet.node.close()
        runBlocking { client?.shutdown() }
        testbed.close()
    }

    companion object {
        val here get() = RuntimeEnvironment.getApplication() as TestbedApp
    }
}

/** The wallet of an app on the testbed's wallet node. */
open class TestbedWallet(private val testbed: Testbed, val node: TestWallet) : Wallet(), WalletNode by node {
    val arrived = CopyOnWriteArrayList<ChannelOutcome>()

    override fun config(folder: String): ClientConfig =
        testbed.config().copy(storageDir = System.getProperty("sample.folder") ?: folder)

    override fun start(client: ChannelClient) = node.reportTo(client)

    override fun arrived(outcome: ChannelOutcome) {
        arrived += outcome
    }
}

/** It waits for no longer than a second. */
class HastyApp : TestbedApp() {
    override fun wallet(node: TestWallet) = object : TestbedWallet(testbed, node) {
        override fun config(folder: String) = testbed.hastyConfig().copy(storageDir = folder)
    }
}

/** Its node connects to nobody. */
class LonelyApp : TestbedApp() {
    override fun wallet(node: TestWallet) = object : TestbedWallet(testbed, node) {
        override fun connect(peer: PeerAddress) = false
    }
}

/** The target proposes a channel to the wallet. */
fun Testbed.open() = post("target/open", mapOf("peer_id" to walletId))
