package com.example.wallet

import android.app.Activity
import android.content.Intent
import android.content.res.Configuration
import android.os.Looper
import android.view.View
import android.view.ViewGroup
import android.widget.EditText
import android.widget.TextView
import dev.lnurlchannel.support.LIMIT
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController

/** The activity as the user has it: texts to read, and buttons with labels. */
class Phone(val controller: ActivityController<MainActivity>) {
    val activity: Activity get() = controller.get()
    val decor: View get() = activity.window.decorView

    /** What is on the screen now, whether or not one has to scroll for it. */
    val views: List<View> get() = decor.shown().toList()
    val texts: List<String>
        get() = views.filterIsInstance<TextView>().map { it.text.toString() }.filter { it.isNotEmpty() }

    fun shows(text: String) = texts.any { text in it }

    /** Waits for a text, of which a part is enough. */
    fun await(text: String) = await(text) { shows(text) }

    fun await(what: String, holds: () -> Boolean) = await(what, { "there is: $texts" }, holds)

    /** Waits until there is a button with this label that can be used, and uses it. */
    fun click(label: String) {
        await("$label, to be clicked") { clickable(label) != null }
        clickable(label)!!.performClick()
    }

    fun type(text: String) {
        await("the field for the code") { views.any { it is EditText } }
        views.filterIsInstance<EditText>().single().setText(text)
    }

    /** From a code to the offer behind it, as the user gets there. */
    fun offered(lnurl: String) {
        type(lnurl)
        click("Continue")
        click("Ask for the offer")
        await("Accept")
    }

    /** From upright to lying, or back: the activity is made anew from its saved state. */
    fun turn() {
        val before = activity
        val isUpright = before.resources.configuration.orientation == Configuration.ORIENTATION_PORTRAIT
        RuntimeEnvironment.setQualifiers(if (isUpright) "+land" else "+port")
        controller.configurationChange()
        check(activity !== before) { "the activity was kept" }
        await("it is drawn") { texts.isNotEmpty() }
    }

    /** A row of the list, or a button, by its text or by what a screen reader says. */
    private fun clickable(label: String): View? {
        val view = views.find { (it as? TextView)?.text?.toString() == label || it.contentDescription == label }
        return generateSequence(view) { it.parent as? View }.find { it.isClickable }?.takeIf { it.isEnabled }
    }

    companion object {
        private const val POLL_MS = 5L

        /** The main thread is the test's own: it runs while the test waits. */
        fun await(what: String, instead: () -> String, holds: () -> Boolean) {
            val end = System.nanoTime() + LIMIT.toNanos()
            while (true) {
                shadowOf(Looper.getMainLooper()).idle()
                if (holds()) return
                check(System.nanoTime() < end) { "waited for: $what; ${instead()}" }
                Thread.sleep(POLL_MS)
            }
        }

        fun start(intent: Intent? = null) = Phone(Robolectric.buildActivity(MainActivity::class.java, intent).setup())

        private fun View.shown(): Sequence<View> = sequence {
            if (visibility != View.VISIBLE) return@sequence
            yield(this@shown)
            if (this@shown is ViewGroup) for (index in 0 until childCount) yieldAll(getChildAt(index).shown())
        }
    }
}
