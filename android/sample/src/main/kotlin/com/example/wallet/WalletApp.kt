package com.example.wallet

import android.app.Application
import android.content.Intent
import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelListener
import dev.lnurlchannel.channelFolder
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.launch

/** One client for the whole process, made before the node starts, so that no channel goes unreported. */
open class WalletApp : Application() {
    private val life = CoroutineScope(SupervisorJob() + Dispatchers.Main.immediate)

    lateinit var screen: ChannelScreen
        private set

    /** Whether the user sees the app: only then may it start a service. */
    private val isVisible = MutableStateFlow(false)

    /** The one place that names the wallet. */
    protected open fun makeWallet(): Wallet = DemoWallet()

    /** May write to the disk. */
    protected open fun makeClient(wallet: Wallet, listener: ChannelListener): ChannelClient =
        ChannelClient(wallet, listener, wallet.config(channelFolder(noBackupFilesDir)))

    override fun onCreate() {
        super.onCreate()
        screen = ChannelScreen(life, makeWallet(), ::makeClient)
        screen.start()
        life.launch { screen.isWaiting.combine(isVisible, ::Pair).collect { keepAlive(it.first, it.second) } }
    }

    /** The user sees the app. */
    fun enter() {
        if (isVisible.value) return
        isVisible.value = true
        screen.enterForeground()
    }

    /** The user leaves the app. What the service does not wait for, jobs look for. */
    fun leave() {
        isVisible.value = false
        screen.leaveForeground()
        planJob()
    }

    /** The time of the service is over. If the user sees the app, it needs none. */
    fun endService(stop: () -> Unit) {
        life.launch {
            screen.pauseInBackground()
            if (!isVisible.value) planJob()
            stop()
        }
    }

    private fun planJob() {
        screen.comeBackIn()?.let { ChannelJob.schedule(this, it) }
    }

    /** By a service in the foreground, while a call waits. */
    private fun keepAlive(isWaiting: Boolean, isVisible: Boolean) {
        val service = Intent().setClassName(this, "com.example.wallet.WaitingService")
        if (!isWaiting) stopService(service) else if (isVisible) startService(service)
    }
}
