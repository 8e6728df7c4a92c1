package com.example.wallet

import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.TextView

// Small helpers for plain views.

inline fun <reified T : View> View.find(id: Int): T {
    // Before Android 8, `findViewById` says no more of it.
    val found: View = findViewById(id)
    return found as T
}

var View.isVisible: Boolean
    get() = visibility == View.VISIBLE
    set(value) {
        visibility = if (value) View.VISIBLE else View.GONE
    }

/** Shows a text, or nothing. The same text again is no change, so that a screen reader does not read it again. */
fun TextView.show(text: String?) {
    isVisible = text != null
    if (text != null && text != this.text.toString()) this.text = text
}

/** One child for each value, made from [layout]; those that are there already are used again. */
fun <T> ViewGroup.fill(values: List<T>, layout: Int, bind: (View, T) -> Unit) {
    while (childCount > values.size) removeViewAt(childCount - 1)
    while (childCount < values.size) addView(LayoutInflater.from(context).inflate(layout, this, false))
    values.forEachIndexed { index, value -> bind(getChildAt(index), value) }
}
