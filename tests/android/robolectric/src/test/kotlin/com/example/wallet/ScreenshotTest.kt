package com.example.wallet

import android.os.SystemClock
import android.view.View
import android.view.ViewGroup
import android.widget.Chronometer
import android.widget.ScrollView
import android.widget.TextView
import dev.lnurlchannel.ChannelConcern
import dev.lnurlchannel.ChannelKind
import dev.lnurlchannel.ChannelOffer
import dev.lnurlchannel.ChannelRequestSnapshot
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.ChannelStage
import dev.lnurlchannel.ChannelStep
import dev.lnurlchannel.ChannelVisibility
import dev.lnurlchannel.HostedChannelTerms
import dev.lnurlchannel.encodeLnurl
import dev.lnurlchannel.testing.FakeChannelRequest
import dev.lnurlchannel.testing.fakeChannel
import dev.lnurlchannel.testing.fakeFunded
import dev.lnurlchannel.testing.fakeOffer
import dev.lnurlchannel.testing.fakeSnapshot
import java.io.File
import java.util.TimeZone
import kotlin.time.Duration
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Assert.fail
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/**
 * Each state of the screen, drawn by Android's own graphics: in light, dark, and with letters twice as large. The
 * pictures are in docs/screenshots; after a change that is meant, `tests/android/robolectric/run
 * -Dtest=ScreenshotTest -Dscreenshots.renew=true` draws them anew.
 */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], application = FakeApp::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class ScreenshotTest {
    private enum class Look(val qualifiers: String, val fontScale: Float = 1f) {
        LIGHT("notnight"), DARK("night"), LARGE("notnight", fontScale = 2f)
    }

    @Before
    fun hereAndNow() = TimeZone.setDefault(TimeZone.getTimeZone("UTC"))

    @Test
    fun scan() {
        FakeApp.client()
        picture("scan")
    }

    @Test
    fun consent() {
        FakeApp.client()
        val phone = Phone.start()
        phone.type(CODE)
        phone.click("Continue")
        picture("consent")
    }

    @Test
    fun offer() = request("offer") {}

    @Test
    fun `offer with concerns`() = request("offer-concerns", concerns = CONCERNS) {}

    @Test
    fun `hosted offer`() =
        request("offer-hosted", fakeOffer(ChannelKind.HOSTED, service = null, alias = "Host of channels")) {}

    @Test
    fun connecting() = accepted("connecting") {
        step(ChannelStep.CONNECTING) { copy(state = ChannelRequestState.CONNECTING, isRunning = true) }
    }

    @Test
    fun waiting() = accepted("waiting") { agree() }

    @Test
    fun opening() = accepted("opening") {
        agree()
        step(ChannelStep.PROPOSED) { copy(state = ChannelRequestState.OPENING) }
    }

    @Test
    fun arrived() = accepted("arrived") {
        arrive()
        step(ChannelStep.PROGRESSED) { copy(channel = channel?.copy(confirmations = 2u, confirmationsRequired = 6u)) }
    }

    @Test
    fun ready() = accepted("ready") {
        arrive()
        step(ChannelStep.READY) { copy(state = ChannelRequestState.READY, isRunning = false) }
    }

    @Test
    fun `hosted channel`() = accepted("hosted", fakeOffer(ChannelKind.HOSTED, service = "host.example")) {
        step(ChannelStep.CONNECTING) { copy(state = ChannelRequestState.CONNECTING) }
        step(ChannelStep.REQUESTING) { copy(state = ChannelRequestState.REQUESTING) }
        val terms = HostedChannelTerms(1_000_000_000uL, 0uL, 1_000_000_000uL, 1_000uL, 10u)
        step(ChannelStep.ARRIVED) { copy(state = ChannelRequestState.ARRIVED, hostedTerms = terms) }
    }

    @Test
    fun refused() = accepted("refused") {
        step(ChannelStep.CONNECTING) { copy(state = ChannelRequestState.CONNECTING) }
        step(ChannelStep.REQUESTING) { copy(state = ChannelRequestState.REQUESTING) }
        step(ChannelStep.CHANGED) { copy(state = ChannelRequestState.REFUSED, refusal = "No more channels today.") }
    }

    @Test
    fun `outcome unknown`() = accepted("outcome-unknown") {
        step(ChannelStep.CONNECTING) { copy(state = ChannelRequestState.CONNECTING) }
        step(ChannelStep.REQUESTING) { copy(state = ChannelRequestState.REQUESTING) }
        val concerns = listOf(ChannelConcern.AnswerUnclear("Bad gateway"), ChannelConcern.PeerNotConnected)
        step(ChannelStep.ANSWER_UNCLEAR) { copy(state = ChannelRequestState.OUTCOME_UNKNOWN, concerns = concerns) }
    }

    @Test
    fun history() {
        val funded = fakeSnapshot(OFFER).copy(visibility = ChannelVisibility.UNANNOUNCED)
        val other = fakeSnapshot(fakeOffer(service = "other.example"), ChannelRequestState.REFUSED)
        val waiting = FakeChannelRequest(funded.copy(state = ChannelRequestState.AWAITING))
        waiting.acceptReturns(fakeFunded(), after = Duration.INFINITE)
        FakeApp.client(
            waiting,
            FakeChannelRequest(seen(funded.copy(state = ChannelRequestState.READY), DAY)),
            FakeChannelRequest(seen(other, DAY - 86_400uL)),
        )
        picture("history")
    }

    @Test
    fun `a picture with another letter is another picture`() {
        FakeApp.client()
        val (one, other) = listOf("LNURL1", "LNURL7").map { text ->
            val phone = Phone.start()
            phone.type(text)
            Picture.of(phone.decor, phone.views.filterIsInstance<ScrollView>().single())
        }
        assertEquals(0, one.differs(one))
        assertTrue("${one.differs(other)}", one.differs(other) > FEW_PIXELS)
    }

    private fun seen(request: ChannelRequestSnapshot, createdAtSeconds: ULong) =
        request.copy(isDismissed = true, createdAtSeconds = createdAtSeconds)

    /** Opens an offer as the user does, and shows what [then] makes of it. */
    private fun request(
        name: String,
        offer: ChannelOffer = OFFER,
        concerns: List<ChannelConcern> = emptyList(),
        then: FakeChannelRequest.(Phone) -> Unit,
    ) {
        val client = FakeApp.client()
        val request = client.fetchReturns(FakeChannelRequest(fakeSnapshot(offer)))
        request.preflightReturns(concerns)
        request.acceptReturns(fakeFunded(), after = Duration.INFINITE)
        request.awaitReadyReturns(fakeChannel(), after = Duration.INFINITE)
        val phone = Phone.start()
        phone.offered(CODE)
        request.then(phone)
        picture(name)
    }

    private fun accepted(name: String, offer: ChannelOffer = OFFER, then: FakeChannelRequest.() -> Unit) =
        request(name, offer) { phone ->
            phone.click("Accept")
            phone.await("it was accepted") { accepts.isNotEmpty() }
            then()
        }

    private fun FakeChannelRequest.step(
        step: ChannelStep,
        change: ChannelRequestSnapshot.() -> ChannelRequestSnapshot,
    ) = becomes(snapshot().change(), step)

    private fun FakeChannelRequest.agree() {
        step(ChannelStep.CONNECTING) { copy(state = ChannelRequestState.CONNECTING, isRunning = true) }
        step(ChannelStep.REQUESTING) { copy(state = ChannelRequestState.REQUESTING, isPeerConnected = true) }
        val until = (System.currentTimeMillis() / 1000 + LEFT_SECONDS).toULong()
        step(ChannelStep.AGREED) { copy(state = ChannelRequestState.AWAITING, waitsUntilSeconds = until) }
    }

    private fun FakeChannelRequest.arrive() {
        agree()
        step(ChannelStep.PROPOSED) { copy(state = ChannelRequestState.OPENING) }
        val channel = fakeChannel(ChannelStage.FUNDED).copy(capacitySat = 250_000uL)
        step(ChannelStep.ARRIVED) {
            copy(state = ChannelRequestState.ARRIVED, channel = channel, waitsUntilSeconds = null)
        }
    }

    private fun picture(name: String) = Look.entries.forEach { look ->
        RuntimeEnvironment.setQualifiers("w360dp-h640dp-port-${look.qualifiers}-mdpi")
        RuntimeEnvironment.setFontScale(look.fontScale)
        val picture = draw()
        val file = FOLDER.resolve("$name-${look.name.lowercase()}.png")
        if (System.getProperty("screenshots.renew") == "true") return@forEach picture.write(file)
        assertTrue("$file is missing: draw it with -Dscreenshots.renew=true", file.exists())
        val differing = picture.differs(Picture.read(file))
        if (differing > FEW_PIXELS) {
            val drawn = File("target/screenshots/${file.name}")
            picture.write(drawn)
            fail("$drawn differs from $file in $differing pixels; if it is meant, -Dscreenshots.renew=true")
        }
    }

    /** Another activity on the same screen, as after a change of the phone's settings. */
    private fun draw(): Picture {
        val phone = Phone.start()
        phone.await("it is drawn") { phone.texts.isNotEmpty() }
        // The one thing that goes on by itself.
        phone.views.filterIsInstance<Chronometer>().forEach {
            it.stop()
            it.base = SystemClock.elapsedRealtime() + LEFT_SECONDS * 1000
        }
        val page = phone.views.filterIsInstance<ScrollView>().single()
        val picture = Picture.of(phone.decor, page)
        assertTrue("a screen reader names the page", !page.accessibilityPaneTitle.isNullOrEmpty())
        phone.views.forEach(::checkForEverybody)
        phone.controller.pause().stop().destroy()
        return picture
    }

    /** Whatever can be touched says what it is, and is large enough for a finger; no text is cut off. */
    private fun checkForEverybody(view: View) {
        if (view.isClickable) {
            assertTrue("$view says nothing", view.says())
            assertTrue("$view is ${view.height} high", view.height >= FINGER && view.width >= FINGER)
        }
        val text = (view as? TextView)?.layout ?: return
        val room = view.height - view.compoundPaddingTop - view.compoundPaddingBottom
        assertTrue("${view.text} is cut", text.height <= room)
    }

    private fun View.says(): Boolean = !contentDescription.isNullOrEmpty() ||
        this is TextView && !(text.ifEmpty { hint }).isNullOrEmpty() ||
        this is ViewGroup && (0 until childCount).any { getChildAt(it).says() }

    private companion object {
        val FOLDER = File("../../../docs/screenshots")
        const val FEW_PIXELS = 20

        /** Android's least size of what can be touched, which at this density is in pixels too. */
        const val FINGER = 48
        const val LEFT_SECONDS = 161L
        const val DAY = 1_799_900_000uL
        val CODE: String = encodeLnurl("https://service.example/channel?k1=0")
        val OFFER = fakeOffer(callbackHost = "api.service.example")
        val CONCERNS = listOf(ChannelConcern.AnchorReserve(9_000uL), ChannelConcern.TooManyPending(1u))
    }
}
