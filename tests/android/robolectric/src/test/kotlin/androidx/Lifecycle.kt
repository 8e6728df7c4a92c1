package androidx.test.runner.lifecycle

import android.app.Activity
import android.app.Application

// What Robolectric names of androidx.test, which is on Google's Maven only, in this file and those beside it: as
// much of it as it calls. Activities are remembered with their stage, since `recreate` asks for it.

enum class Stage { PRE_ON_CREATE, CREATED, STARTED, RESUMED, PAUSED, STOPPED, RESTARTED, DESTROYED }

enum class ApplicationStage { PRE_ON_CREATE, CREATED }

fun interface ActivityLifecycleCallback {
    fun onActivityLifecycleChanged(activity: Activity, stage: Stage)
}

interface ActivityLifecycleMonitor {
    fun addLifecycleCallback(callback: ActivityLifecycleCallback)
    fun removeLifecycleCallback(callback: ActivityLifecycleCallback)
    fun getLifecycleStageOf(activity: Activity): Stage
    fun getActivitiesInStage(stage: Stage): Collection<Activity>
}

object ActivityLifecycleMonitorRegistry {
    private lateinit var monitor: ActivityLifecycleMonitor

    @JvmStatic
    fun getInstance(): ActivityLifecycleMonitor = monitor

    @JvmStatic
    fun registerInstance(monitor: ActivityLifecycleMonitor) {
        this.monitor = monitor
    }
}

interface ApplicationLifecycleMonitor {
    fun signalLifecycleChange(application: Application, stage: ApplicationStage)
}

object ApplicationLifecycleMonitorRegistry {
    @JvmStatic
    fun registerInstance(monitor: ApplicationLifecycleMonitor) = Unit
}
