package com.example.wallet

import android.app.job.JobInfo
import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.app.job.JobService
import android.content.ComponentName
import android.content.Context
import dev.lnurlchannel.LnurlChannelException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.Job
import kotlinx.coroutines.MainScope
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch

/**
 * Looks in the background whether an awaited channel has come: at most 25 seconds each time, then again
 * when the library says so.
 */
class ChannelJob : JobService() {
    private val life = MainScope()
    private var work: Job? = null

    override fun onStartJob(parameters: JobParameters): Boolean {
        work = life.launch {
            val next = try {
                (application as WalletApp).screen.goOnInBackground()
            } catch (_: LnurlChannelException) {
                // No client can be made, as on a full disk.
                15.minutes
            }
            jobFinished(parameters, false)
            next?.let { schedule(this@ChannelJob, it) }
        }
        return true
    }

    /** Ends the waits; the job comes again. */
    override fun onStopJob(parameters: JobParameters): Boolean {
        work?.cancel()
        return true
    }

    override fun onDestroy() {
        life.cancel()
        super.onDestroy()
    }

    companion object {
        private const val ID = 1

        /** Not before [after], and with a network; in place of a job that was planned before. */
        fun schedule(context: Context, after: Duration) {
            val job = JobInfo.Builder(ID, ComponentName(context, ChannelJob::class.java))
                .setMinimumLatency(after.inWholeMilliseconds)
                .setRequiredNetworkType(JobInfo.NETWORK_TYPE_ANY)
                .setPersisted(true)
                .build()
            context.getSystemService(JobScheduler::class.java).schedule(job)
        }
    }
}
