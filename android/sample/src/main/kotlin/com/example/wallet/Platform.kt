package com.example.wallet

import android.app.Activity
import android.os.Build
import android.view.View
import android.view.WindowInsets
import android.window.OnBackInvokedCallback
import android.window.OnBackInvokedDispatcher

// What differs between the phones that the app runs on. An app with androidx has this from there.

/** Draws behind the system's bars, and keeps what [scrolling] holds clear of them and of the keyboard. */
fun Activity.drawEdgeToEdge(scrolling: List<View>) {
    if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
        window.setDecorFitsSystemWindows(false)
    } else {
        @Suppress("DEPRECATION")
        window.decorView.systemUiVisibility = View.SYSTEM_UI_FLAG_LAYOUT_STABLE or
            View.SYSTEM_UI_FLAG_LAYOUT_FULLSCREEN or View.SYSTEM_UI_FLAG_LAYOUT_HIDE_NAVIGATION
    }
    for (view in scrolling) view.setOnApplyWindowInsetsListener { _, insets -> insets.also { view.keepClear(it) } }
}

private fun View.keepClear(insets: WindowInsets) {
    if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
        val types = WindowInsets.Type.systemBars() or WindowInsets.Type.displayCutout() or WindowInsets.Type.ime()
        insets.getInsets(types).run { setPadding(left, top, right, bottom) }
    } else {
        @Suppress("DEPRECATION")
        insets.run {
            setPadding(systemWindowInsetLeft, systemWindowInsetTop, systemWindowInsetRight, systemWindowInsetBottom)
        }
    }
}

/** What the back gesture does, where the system asks beforehand; before Android 13, it calls `onBackPressed`. */
class BackGesture(private val activity: Activity, onBack: () -> Unit) {
    private val callback: Any? =
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) OnBackInvokedCallback(onBack) else null
    private var isTaken = false

    /** Whether the app takes it; else it leaves the app. */
    fun take(isTaken: Boolean) {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.TIRAMISU || isTaken == this.isTaken) return
        this.isTaken = isTaken
        val dispatcher = activity.onBackInvokedDispatcher
        val callback = callback as OnBackInvokedCallback
        if (isTaken) dispatcher.registerOnBackInvokedCallback(OnBackInvokedDispatcher.PRIORITY_DEFAULT, callback)
        else dispatcher.unregisterOnBackInvokedCallback(callback)
    }
}
