package com.example.wallet

import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.ClipboardManager
import android.content.Intent
import android.os.Bundle
import android.view.View
import android.widget.Button
import android.widget.EditText
import android.widget.LinearLayout
import android.widget.ScrollView
import android.widget.TextView
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch

/** Scan or paste, agree to the host, see the offer, accept, watch. Its views are tagged for the tests. */
class MainActivity : Activity() {
    private val screen get() = (application as WalletApp).screen
    private val views = CoroutineScope(SupervisorJob() + Dispatchers.Main.immediate)

    private lateinit var lnurl: EditText
    private lateinit var actions: Map<Action, Button>
    private lateinit var lines: TextView

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(layOut())
        views.launch { screen.state.collect(::render) }
        if (savedInstanceState == null) openLink(intent)
    }

    override fun onStart() {
        super.onStart()
        (application as WalletApp).isVisible.value = true
        screen.enterForeground()
    }

    override fun onStop() {
        (application as WalletApp).leave()
        super.onStop()
    }

    /** A link that was scanned with the phone's camera app while this app was open. */
    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        openLink(intent)
    }

    override fun onDestroy() {
        views.cancel()
        super.onDestroy()
    }

    @Deprecated("The replacement is in a library, and this app has none but ours.")
    override fun onActivityResult(requestCode: Int, resultCode: Int, data: Intent?) {
        super.onActivityResult(requestCode, resultCode, data)
        if (requestCode == SCAN && resultCode == RESULT_OK) data?.getStringExtra("SCAN_RESULT")?.let(::open)
    }

    private fun layOut(): View {
        lnurl = EditText(this).apply { hint = "LNURL" }
        lines = TextView(this)
        actions = Action.entries.associateWith { button(it.label) { screen.act(it) } }
        val column = LinearLayout(this).apply {
            orientation = LinearLayout.VERTICAL
            addView(lnurl)
            addView(button("Scan", ::scan))
            addView(button("Paste", ::paste))
            addView(button("Demo offer") { open(DemoNode.demoLnurl()) })
            addView(button("Open") { screen.open(lnurl.text.toString()) })
            addView(lines)
            actions.values.forEach(::addView)
        }
        lnurl.tag = "lnurl"
        lines.tag = "lines"
        return ScrollView(this).apply {
            fitsSystemWindows = true
            addView(column)
        }
    }

    private fun button(label: String, onClick: () -> Unit) = Button(this).apply {
        text = label
        tag = label
        setOnClickListener { onClick() }
    }

    private fun render(state: ScreenState) {
        for ((action, button) in actions) button.isEnabled = action in state.actions
        lines.text = state.lines.joinToString("\n")
    }

    /** By a scanner app, if there is one; the phone's camera app opens `lightning:` links by itself. */
    private fun scan() {
        val scanner = Intent("com.google.zxing.client.android.SCAN").putExtra("SCAN_MODE", "QR_CODE_MODE")
        try {
            @Suppress("DEPRECATION")
            startActivityForResult(scanner, SCAN)
        } catch (_: ActivityNotFoundException) {
            lines.text = "There is no scanner app: paste, or scan with the camera app."
        }
    }

    private fun paste() {
        val clip = getSystemService(ClipboardManager::class.java).primaryClip ?: return
        lnurl.setText(clip.getItemAt(0).coerceToText(this))
    }

    private fun openLink(intent: Intent) {
        if (intent.action == Intent.ACTION_VIEW) intent.dataString?.let(::open)
    }

    private fun open(text: String) {
        lnurl.setText(text)
        screen.open(text)
    }

    private companion object {
        const val SCAN = 1
    }
}
