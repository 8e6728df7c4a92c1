package com.example.wallet

import android.app.Notification
import android.app.NotificationChannel
import android.app.NotificationManager
import android.app.PendingIntent
import android.app.Service
import android.content.Intent
import android.os.Build
import android.os.IBinder

/**
 * Keeps the app alive while a call waits for a channel, also when the user has left it.
 *
 * It is a short service, which takes no permission of the user and lasts some three minutes, as long as a call
 * waits by default. When its time is over and the user has left the app, calls are paused; [ChannelJob] goes on.
 */
class WaitingService : Service() {
    override fun onStartCommand(intent: Intent?, flags: Int, startId: Int): Int {
        startForeground(ID, notification())
        // After a restart of the process nothing waits yet.
        return START_NOT_STICKY
    }

    override fun onTimeout(startId: Int) {
        (application as WalletApp).endService { stopSelf() }
    }

    override fun onBind(intent: Intent): IBinder? = null

    private fun notification(): Notification {
        val open = PendingIntent.getActivity(
            this, 0, Intent(this, MainActivity::class.java), PendingIntent.FLAG_IMMUTABLE,
        )
        return builder()
            .setSmallIcon(R.drawable.ic_waiting)
            .setContentTitle(getString(R.string.waiting))
            .setContentIntent(open)
            .setOngoing(true)
            .build()
    }

    private fun builder(): Notification.Builder {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.O) {
            @Suppress("DEPRECATION")
            return Notification.Builder(this)
        }
        val name = getString(R.string.waiting_channel)
        val channel = NotificationChannel(CHANNEL, name, NotificationManager.IMPORTANCE_LOW)
        getSystemService(NotificationManager::class.java).createNotificationChannel(channel)
        return Notification.Builder(this, CHANNEL)
    }

    private companion object {
        const val ID = 1
        const val CHANNEL = "waiting"
    }
}
