package com.example.wallet

import android.app.Application
import dev.lnurlchannel.ClientConfig
import java.io.File
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob

/** One client for the whole process, made before the node starts, so that no channel goes unreported. */
class WalletApp : Application() {
    lateinit var screen: ChannelScreen
        private set

    override fun onCreate() {
        super.onCreate()
        val config = ClientConfig(storageDir = File(noBackupFilesDir, "channels").path)
        screen = ChannelScreen(config, CoroutineScope(SupervisorJob() + Dispatchers.Main.immediate))
        screen.start()
    }
}
