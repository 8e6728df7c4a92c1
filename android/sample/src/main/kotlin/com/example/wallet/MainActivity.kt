package com.example.wallet

import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.ClipboardManager
import android.content.Intent
import android.os.Bundle
import android.view.View
import android.widget.Toast
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch

/** Scan or paste, agree to the host, see the offer, accept, watch. */
class MainActivity : Activity() {
    private val app get() = application as WalletApp
    private val screen get() = app.screen
    private val views = CoroutineScope(SupervisorJob() + Dispatchers.Main.immediate)
    private val back = BackGesture(this) { screen.goHome() }

    private lateinit var home: HomePage
    private lateinit var consent: ConsentPage
    private lateinit var request: RequestPage

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.main)
        val texts = Texts(this)
        home = HomePage(findViewById(R.id.home), screen, texts)
        consent = ConsentPage(findViewById(R.id.consent), screen, texts)
        request = RequestPage(findViewById(R.id.request), screen, texts, ::share)
        findViewById<View>(R.id.scan).setOnClickListener { scan() }
        findViewById<View>(R.id.paste).setOnClickListener { paste() }
        findViewById<View>(R.id.demo).setOnClickListener { screen.open(DemoWallet.demoLnurl()) }
        drawEdgeToEdge(listOf(home.view, consent.view, request.view))
        views.launch { screen.state.collect(::render) }
        if (savedInstanceState == null) openLink(intent) else screen.restore(saved(savedInstanceState))
    }

    override fun onStart() {
        super.onStart()
        app.enter()
    }

    /** Who turns the phone does not leave. */
    override fun onStop() {
        if (!isChangingConfigurations) app.leave()
        super.onStop()
    }

    /** A link that was scanned with the phone's camera app while this app was open. */
    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        openLink(intent)
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        outState.putString(TEXT, screen.saved.text)
        outState.putString(REQUEST_ID, screen.saved.requestId)
    }

    override fun onDestroy() {
        views.cancel()
        super.onDestroy()
    }

    @Deprecated("Newer phones ask beforehand: see BackGesture.")
    override fun onBackPressed() {
        @Suppress("DEPRECATION")
        if (screen.state.value.page is Page.Home) super.onBackPressed() else screen.goHome()
    }

    @Deprecated("The replacement is in a library, and this app has none but ours.")
    override fun onActivityResult(requestCode: Int, resultCode: Int, data: Intent?) {
        super.onActivityResult(requestCode, resultCode, data)
        if (requestCode == SCAN && resultCode == RESULT_OK) data?.getStringExtra("SCAN_RESULT")?.let(screen::open)
    }

    private fun render(state: ScreenState) {
        val page = state.page
        home.view.isVisible = page is Page.Home
        consent.view.isVisible = page is Page.Consent
        request.view.isVisible = page is Page.Request
        when (page) {
            is Page.Home -> home.render(page, state.problem)
            is Page.Consent -> consent.render(page, state.problem)
            is Page.Request -> request.render(page, state.problem)
        }
        back.take(page !is Page.Home)
    }

    /** By a scanner app, if there is one; the phone's camera app opens `lightning:` links by itself. */
    private fun scan() {
        val scanner = Intent("com.google.zxing.client.android.SCAN").putExtra("SCAN_MODE", "QR_CODE_MODE")
        try {
            @Suppress("DEPRECATION")
            startActivityForResult(scanner, SCAN)
        } catch (_: ActivityNotFoundException) {
            Toast.makeText(this, R.string.no_scanner, Toast.LENGTH_LONG).show()
        }
    }

    private fun paste() {
        val clip = getSystemService(ClipboardManager::class.java).primaryClip ?: return
        // Text only: to make text of a URI, another app is asked, on this thread.
        home.code.setText(clip.getItemAt(0).text ?: return)
    }

    private fun openLink(intent: Intent) {
        // The list of recent apps starts the app with the link that it was started with first.
        if (intent.flags and Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY != 0) return
        if (intent.action == Intent.ACTION_VIEW) intent.dataString?.let(screen::open)
    }

    /** For a support team: what happened, without secrets. */
    private fun share() {
        val receipt = screen.receipt() ?: return
        val send = Intent(Intent.ACTION_SEND).setType("text/plain")
            .putExtra(Intent.EXTRA_SUBJECT, getString(R.string.receipt_title))
            .putExtra(Intent.EXTRA_TEXT, receipt)
        startActivity(Intent.createChooser(send, getString(R.string.share)))
    }

    private companion object {
        const val SCAN = 1
        const val TEXT = "text"
        const val REQUEST_ID = "request id"

        fun saved(state: Bundle) = ChannelScreen.Saved(state.getString(TEXT), state.getString(REQUEST_ID))
    }
}
