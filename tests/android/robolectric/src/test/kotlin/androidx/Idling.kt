package androidx.test.espresso

import android.os.Looper

interface IdlingResource {
    fun interface ResourceCallback {
        fun onTransitionToIdle()
    }

    fun getName(): String
    fun isIdleNow(): Boolean
    fun registerIdleTransitionCallback(callback: ResourceCallback)
}

object IdlingRegistry {
    @JvmStatic
    fun getInstance() = this

    fun getResources(): Collection<IdlingResource> = emptyList()

    fun getLoopers(): Collection<Looper> = emptyList()
}
