package com.example.wallet

import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.content.ClipData
import android.content.ClipboardManager
import android.content.Intent
import android.graphics.Insets
import android.net.Uri
import android.os.Bundle
import android.os.Parcel
import android.view.View
import android.view.WindowInsets
import android.widget.EditText
import android.widget.ScrollView
import android.widget.TextView
import dev.lnurlchannel.ChannelKind
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.ChannelStep
import dev.lnurlchannel.ChannelVisibility
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.NodeProblem
import dev.lnurlchannel.UrlProblem
import dev.lnurlchannel.encodeLnurl
import dev.lnurlchannel.testing.FakeChannelClient
import dev.lnurlchannel.testing.FakeChannelRequest
import dev.lnurlchannel.testing.fakeChannel
import dev.lnurlchannel.testing.fakeFunded
import dev.lnurlchannel.testing.fakeHostedOffer
import dev.lnurlchannel.testing.fakeOffer
import dev.lnurlchannel.testing.fakeSnapshot
import kotlin.time.Duration
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.robolectric.util.ReflectionHelpers

/** What Android asks of an activity, on the library's fakes. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], application = FakeApp::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class ActivityTest {
    private val code = encodeLnurl("https://service.example/channel?k1=0")

    @Test
    fun `what was typed is there after the phone was turned`() {
        FakeApp.client()
        val phone = Phone.start()
        phone.type("LNURL1")
        phone.turn()
        assertEquals("LNURL1", phone.views.filterIsInstance<EditText>().single().text.toString())
    }

    @Test
    fun `a code that waits for consent does so after a turn, and after the process has died`() {
        val client = FakeApp.client()
        val phone = Phone.start()
        phone.type(code)
        phone.click("Continue")
        phone.await("Contact service.example?")
        phone.turn()
        phone.await("Contact service.example?")
        val again = phone.again { screen -> screen.goHome() }
        again.await("Contact service.example?")
        assertEquals(0, client.fetched.size)
    }

    @Test
    fun `an offer that was not accepted is gone with the process, so that its host needs consent anew`() {
        val client = FakeApp.client()
        val phone = Phone.start()
        (phone.activity.application as WalletApp).screen.restore(ChannelScreen.Saved(code, requestId = "gone"))
        phone.await("Contact service.example?")
        assertEquals(0, client.fetched.size)
    }

    @Test
    fun `a link that is opened while the app starts is not replaced by the saved page`() {
        val request = awaited()
        FakeApp.here.screen.restore(ChannelScreen.Saved(text = null, request.requestId()))
        val phone = Phone.start(link())
        phone.await("Contact service.example?")
        val client = FakeApp.client(request)
        // The app takes the client after the saved page does.
        phone.await("it goes on with what waits") { client.peerChecks == 1 }
        assertTrue("${phone.texts}", phone.shows("Contact service.example?"))
    }

    @Test
    fun `the list of recent apps does not open the link again`() {
        FakeApp.client()
        val phone = Phone.start(link().addFlags(Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY))
        phone.await("Get a channel")
    }

    @Test
    fun `a text is pasted, the content of another app is not asked for`() {
        FakeApp.client()
        val clipboard = RuntimeEnvironment.getApplication().getSystemService(ClipboardManager::class.java)
        val phone = Phone.start()
        fun paste(clip: ClipData): String {
            clipboard.setPrimaryClip(clip)
            phone.click("Paste")
            return phone.views.filterIsInstance<EditText>().single().text.toString()
        }
        assertEquals(code, paste(ClipData.newPlainText("", code)))
        assertEquals("as before", code, paste(ClipData.newRawUri("", Uri.parse("content://other.example/slow"))))
    }

    @Test
    fun `whoever is not the service that the user agreed to is named`() {
        val client = FakeApp.client()
        val plain = fakeOffer()
        val other = fakeOffer(callbackHost = "api.example", alias = "A node").copy(answeredBy = "www.example")
        client.fetchReturns(FakeChannelRequest(fakeSnapshot(plain)))
        client.fetchReturns(FakeChannelRequest(fakeSnapshot(other)))
        val phone = Phone.start()
        phone.offered(code)
        val differing = listOf("Answered by", "www.example", "Asked for at", "api.example", "Calls itself", "A node")
        assertEquals(emptyList<String>(), differing.filter(phone::shows))
        phone.click("Back")
        phone.offered(code)
        assertEquals(differing, differing.filter(phone::shows))
    }

    @Test
    fun `an error stays on the page after a turn, and is gone with it`() {
        FakeApp.client().fetchThrows(LnurlChannelException.UnsafeUrl(UrlProblem.PRIVATE_ADDRESS, "a private address"))
        val sentence = "The address is in a private network. Does this network want you to log in?"
        val phone = Phone.start()
        phone.type(code)
        phone.click("Continue")
        phone.click("Ask for the offer")
        phone.await(sentence)
        phone.turn()
        assertTrue(phone.shows(sentence))
        phone.click("Not now")
        phone.await("Get a channel")
        assertFalse(phone.shows(sentence))
    }

    @Test
    fun `what can be touched keeps clear of the system's bars and of the keyboard`() {
        FakeApp.client()
        val phone = Phone.start()
        phone.await("Get a channel")
        val page = phone.views.filterIsInstance<ScrollView>().single()
        fun paddingWith(keyboard: Int): List<Int> {
            val insets = WindowInsets.Builder()
                .setInsets(WindowInsets.Type.statusBars(), Insets.of(0, 24, 0, 0))
                .setInsets(WindowInsets.Type.navigationBars(), Insets.of(0, 0, 0, 48))
                .setInsets(WindowInsets.Type.ime(), Insets.of(0, 0, 0, keyboard))
                .build()
            page.dispatchApplyWindowInsets(insets)
            return listOf(page.paddingTop, page.paddingBottom)
        }
        assertEquals(listOf(24, 48), paddingWith(keyboard = 0))
        assertEquals(listOf(24, 300), paddingWith(keyboard = 300))
        assertFalse("it scrolls behind the bars", page.clipToPadding)
    }

    @Test
    fun `a screen reader reads each step as it comes, and each error at once`() {
        val client = FakeApp.client()
        val request = client.waiting()
        val phone = Phone.start()
        phone.offered(code)
        phone.click("Accept")
        phone.await("it was accepted") { request.accepts.isNotEmpty() }
        for ((step, sentence) in listOf(
            ChannelStep.CONNECTING to "Connecting to the peer",
            ChannelStep.REQUESTING to "Asking for the channel",
            ChannelStep.AGREED to "The service agreed",
        )) {
            request.becomes(request.snapshot().copy(state = ChannelRequestState.AWAITING, isRunning = true), step)
            phone.await(sentence)
            assertEquals(View.ACCESSIBILITY_LIVE_REGION_POLITE, phone.view(sentence).accessibilityLiveRegion)
        }
        assertTrue(phone.view("Waiting for the channel").isAccessibilityHeading)
        val refused = request.snapshot().copy(state = ChannelRequestState.REFUSED, isRunning = false, refusal = "Full.")
        request.becomes(refused)
        phone.await("The service said no: Full.")
        val said = phone.view("The service said no: Full.")
        assertEquals(View.ACCESSIBILITY_LIVE_REGION_ASSERTIVE, said.accessibilityLiveRegion)
    }

    @Test
    fun `asking again asks for the visibility that was asked for`() {
        val request = awaited(ChannelVisibility.ANNOUNCED)
        request.askAgainReturns(fakeFunded(), after = Duration.INFINITE)
        FakeApp.client(request)
        val phone = Phone.start()
        phone.click("Waiting for the channel")
        phone.click("Ask again")
        phone.await("it was asked again") { request.asksAgain.isNotEmpty() }
        assertEquals(listOf(ChannelVisibility.ANNOUNCED), request.asksAgain)
    }

    @Test
    fun `the wallet takes each channel of a request once, also one that comes after the first was closed`() {
        val first = fakeFunded(fakeChannel(channelId = "01".repeat(32)))
        val second = fakeFunded(fakeChannel(channelId = "02".repeat(32)))
        val request = FakeChannelRequest(fakeSnapshot(state = ChannelRequestState.AWAITING))
        for (outcome in listOf(first, first, second)) request.acceptReturns(outcome)
        FakeApp.client(request)
        val phone = Phone.start()
        phone.await("it is taken") { FakeApp.here.wallet.arrived.toList() == listOf(first) }
        phone.click("Waiting for the channel")
        phone.click("Wait on")
        phone.await("it is told again") { request.accepts.size == 2 }
        phone.click("Wait on")
        phone.await("the next one is taken") { second in FakeApp.here.wallet.arrived }
        assertEquals(listOf(first, second), FakeApp.here.wallet.arrived.toList())
    }

    @Test
    fun `what the wallet could not take is told again, on the return to the app`() {
        val message = fakeHostedOffer()
        val request = hosted(ChannelRequestState.ARRIVED).apply { acceptReturns(message) }
        FakeApp.client(request)
        val wallet = FakeApp.here.wallet
        wallet.arrivalProblem = LnurlChannelException.StorageFailed("full")
        val phone = Phone.start()
        phone.await("The request could not be stored. Is there room on this device?")
        wallet.arrivalProblem = null
        phone.leaveAndReturn()
        phone.await("it is taken") { wallet.arrived.toList() == listOf(message) }
        phone.click("The hosted channel is here")
        phone.click("Done")
        phone.await("it is dismissed") { request.dismissals == 1 }
        assertEquals("once is enough", 1, wallet.arrived.size)
    }

    @Test
    fun `a hosted channel that came while nothing waited is taken before it is dismissed`() {
        val message = fakeHostedOffer()
        val request = hosted(ChannelRequestState.AWAITING)
        request.acceptThrows(LnurlChannelException.NodeFailed(NodeProblem.NOT_CONNECTED, "no network"))
        request.acceptReturns(message)
        FakeApp.client(request)
        val phone = Phone.start()
        phone.await("nothing waits any more") { request.accepts.size == 1 }
        request.becomes(request.snapshot().copy(state = ChannelRequestState.ARRIVED))
        phone.click("The hosted channel is here")
        phone.click("Done")
        phone.await("it is dismissed") { request.dismissals == 1 }
        assertEquals(listOf(message), FakeApp.here.wallet.arrived.toList())
    }

    @Test
    fun `a node that does not start is said, and the next try begins anew`() {
        val app = FakeApp.here
        app.wallet.startProblem = LnurlChannelException.NodeFailed(NodeProblem.FAILED, "no disk")
        FakeApp.client()
        val phone = Phone.start()
        phone.await("Your node")
        phone.await("both tries have failed") { app.clients.count { it.isShutDown } == 2 }
        app.wallet.startProblem = null
        phone.leaveAndReturn()
        phone.await("it goes on with what waits") { app.clients.last().peerChecks == 1 }
        assertEquals(listOf(true, true, false), app.clients.map { it.isShutDown })
    }

    @Test
    fun `while a call waits a service runs, and when the user leaves a job is planned`() {
        val client = FakeApp.client()
        val request = client.waiting()
        val phone = Phone.start()
        phone.offered(code)
        phone.click("Accept")
        phone.await("it was accepted") { request.accepts.isNotEmpty() }
        val awaited = request.snapshot().copy(state = ChannelRequestState.AWAITING, isRunning = true)
        request.becomes(awaited, ChannelStep.AGREED)
        phone.await("The service agreed")
        val app = shadowOf(RuntimeEnvironment.getApplication())
        assertEquals(WaitingService::class.java.name, app.nextStartedService.component?.className)
        assertEquals(0, jobs().allPendingJobs.size)
        phone.controller.pause().stop()
        assertEquals(ChannelJob::class.java.name, jobs().allPendingJobs.single().service.className)
        assertEquals("it waits on in the background", 0, request.pauses)
    }

    @Test
    fun `who turns the phone does not leave the app, who leaves it comes back`() {
        val client = FakeApp.client()
        val phone = Phone.start()
        phone.await("it goes on with what waits") { client.peerChecks == 1 }
        phone.turn()
        assertEquals(1, client.peerChecks)
        phone.leaveAndReturn()
        phone.await("it goes on again") { client.peerChecks == 2 }
    }

    @Test
    fun `the service shows a notification that leads back to the app`() {
        FakeApp.client()
        val service = Robolectric.buildService(WaitingService::class.java).create().startCommand(0, 1).get()
        val notification = shadowOf(service).lastForegroundNotification
        assertEquals("Waiting for a channel", notification.extras.getString("android.title"))
        val leadsTo = shadowOf(notification.contentIntent).savedIntent.component
        assertEquals(MainActivity::class.java.name, leadsTo?.className)
    }

    @Test
    fun `when the service's time is over, calls are paused, unless the user sees the app`() {
        val running = awaited()
        running.becomes(running.snapshot().copy(isRunning = true))
        val client = FakeApp.client(running)
        val phone = Phone.start()
        phone.await("it goes on with what waits") { client.peerChecks == 1 }
        endService()
        assertEquals("the user sees it", 0, running.pauses)
        assertEquals(0, jobs().allPendingJobs.size)

        phone.controller.pause().stop()
        jobs().cancelAll()
        endService()
        assertEquals(1, running.pauses)
        assertEquals(listOf(ChannelJob::class.java.name), jobs().allPendingJobs.map { it.service.className })
    }

    @Test
    fun `the job waits on for what was asked, and comes again while it has not come`() {
        val awaited = FakeChannelRequest(fakeSnapshot(state = ChannelRequestState.AWAITING))
        FakeApp.client(awaited)
        awaited.acceptThrows(LnurlChannelException.NodeFailed(NodeProblem.NOT_CONNECTED, "no network"))
        runJob()
        assertEquals(1, awaited.accepts.size)
        assertEquals(listOf(ChannelJob::class.java.name), jobs().allPendingJobs.map { it.service.className })
    }

    @Test
    fun `the job does not come again when nothing is awaited`() {
        FakeApp.client(FakeChannelRequest(fakeSnapshot(state = ChannelRequestState.READY)))
        runJob()
        assertEquals(0, jobs().allPendingJobs.size)
    }

    private fun jobs() = RuntimeEnvironment.getApplication().getSystemService(JobScheduler::class.java)

    /** Its time is over. */
    private fun endService() {
        val service = Robolectric.buildService(WaitingService::class.java).create().startCommand(0, 1).get()
        service.onTimeout(1)
        until("the service stops") { shadowOf(service).isStoppedBySelf }
    }

    private fun runJob() {
        val service = Robolectric.buildService(ChannelJob::class.java).create().get()
        val parameters = ReflectionHelpers.callConstructor(
            JobParameters::class.java, ReflectionHelpers.ClassParameter.from(Parcel::class.java, Parcel.obtain()),
        )
        assertTrue("it goes on", service.onStartJob(parameters))
        // It is planned again by the same message that finishes it.
        until("it is finished") { shadowOf(service).isJobFinished }
    }

    /** Of what has no activity. */
    private fun until(what: String, holds: () -> Boolean) = Phone.await(what, { "it did not" }, holds)

    private fun link() = Intent(Intent.ACTION_VIEW, Uri.parse("lightning:$code"))

    /** Of an earlier run; its channel does not come. */
    private fun awaited(visibility: ChannelVisibility? = null) =
        FakeChannelRequest(fakeSnapshot(state = ChannelRequestState.AWAITING).copy(visibility = visibility))
            .apply { acceptReturns(fakeFunded(), after = Duration.INFINITE) }

    private fun hosted(state: ChannelRequestState) =
        FakeChannelRequest(fakeSnapshot(fakeOffer(ChannelKind.HOSTED), state))

    private fun FakeChannelClient.waiting() =
        fetchReturns().apply { acceptReturns(fakeFunded(), after = Duration.INFINITE) }

    private fun Phone.leaveAndReturn() {
        controller.pause().stop().restart().start().resume()
    }

    private fun Phone.view(text: String) = views.first { (it as? TextView)?.text?.toString() == text }

    /** The activity once more, from what the system keeps of it. */
    private fun Phone.again(dying: (ChannelScreen) -> Unit): Phone {
        val state = Bundle()
        controller.pause().stop().saveInstanceState(state).destroy()
        dying((RuntimeEnvironment.getApplication() as WalletApp).screen)
        return Phone(Robolectric.buildActivity(MainActivity::class.java).setup(state))
    }
}
