package com.example.wallet

import android.os.Looper
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.TextView
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34])
class FlowTest {
    private fun View.all(): Sequence<View> = sequence {
        if (visibility != View.VISIBLE) return@sequence
        yield(this@all)
        if (this@all is ViewGroup) for (i in 0 until childCount) yieldAll(getChildAt(i).all())
    }
    @Test
    fun hosted() {
        val activity = Robolectric.buildActivity(MainActivity::class.java).setup().get()
        fun texts() = activity.window.decorView.all().filterIsInstance<TextView>().map { it.text.toString() }.toList()
        fun await(text: String) {
            val end = System.currentTimeMillis() + 10_000
            while (texts().none { text in it }) {
                check(System.currentTimeMillis() < end) { "$text in vain: ${texts()}" }
                shadowOf(Looper.getMainLooper()).idle()
                Thread.sleep(5)
            }
            println(texts())
        }
        fun click(tag: String) { await(tag); activity.window.decorView.all().filterIsInstance<Button>().first { it.text == tag }.performClick() }
        click("Try the demo offer")
        await("Contact host.example?")
        click("Ask for the offer")
        await("hosted channel is offered")
        click("Accept")
        await("100,000 sat")
    }
}
