package com.example.wallet

import android.content.Intent
import android.content.pm.ActivityInfo
import android.net.Uri
import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.encodeLnurl
import dev.lnurlchannel.support.Testbed
import dev.lnurlchannel.support.text
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** What the user sees, with the real library and real nodes. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], application = TestbedApp::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class FlowTest {
    private val testbed: Testbed get() = TestbedApp.here.testbed

    @After
    fun end() = TestbedApp.here.end()

    @Test
    fun `a funded channel, from the pasted code until it can be used`() {
        val phone = Phone.start()
        phone.type(testbed.offer())
        phone.click("Continue")
        phone.await("Contact localhost")
        assertEquals("nothing is sent before the user agrees", 0, testbed.seen())
        phone.click("Ask for the offer")
        phone.await("A channel is offered")
        assertTrue(phone.shows(testbed.targetId))
        assertEquals(emptyList<String>(), testbed.callbacks())
        phone.click("Accept")
        phone.await("The channel has come, and cannot be used yet")
        assertTrue("${phone.texts}", phone.shows("100,000 sat"))
        phone.await("The channel can be used") {
            // The funding transaction may come after some of the blocks.
            testbed.post("mine")
            phone.shows("The channel can be used")
        }
        phone.click("Done")
        phone.await("Earlier")
        assertTrue(phone.shows("The channel can be used"))
        assertEquals(testbed.targetId, (phone.arrived() as ChannelOutcome.Funded).channel.peerId)
        assertEquals(1, testbed.callbacks().size)
    }

    @Test
    fun `a hosted channel, from the pasted code to the terms of the host`() {
        val phone = Phone.start()
        phone.offered(testbed.offer(kind = "hosted"))
        assertTrue(phone.shows("A hosted channel is offered"))
        assertFalse("it is never announced", phone.shows("Visibility"))
        phone.click("Accept")
        phone.await("The hosted channel is here")
        val terms = (phone.arrived() as ChannelOutcome.HostedOffered).terms
        assertTrue("${phone.texts}", phone.shows("%,d sat".format(terms.capacityMsat.toLong() / 1000)))
        assertEquals(1, testbed.get("target/invocations").getValue("invocations").jsonArray.size)
    }

    @Test
    fun `a hosted channel that is there already`() {
        val phone = Phone.start()
        phone.offered(testbed.offer("HostedChannelExists", kind = "hosted"))
        phone.click("Accept")
        phone.await("It already holds a channel of this wallet.")
        assertTrue(phone.arrived() is ChannelOutcome.HostedExists)
    }

    @Test
    fun `the phone is turned in the middle of a wait, and nobody is asked a second time`() {
        val phone = Phone.start()
        phone.waits()
        phone.turn()
        assertTrue("${phone.texts}", phone.shows("Waiting for the channel") && phone.shows("Time left: "))
        testbed.open()
        phone.await("The channel has come")
        assertEquals(1, testbed.callbacks().size)
    }

    @Test
    fun `a channel that is wanted public is asked for as such`() {
        val phone = Phone.start()
        phone.offered(testbed.offer())
        phone.click("Public\nAnnounced to the whole network.")
        phone.click("Accept")
        phone.await("The channel has come")
        assertTrue("private=0" in testbed.callbacks().single())
    }

    @Test
    fun `a link of another app is opened once the user has agreed`() {
        val link = Uri.parse("lightning:" + testbed.offer())
        val phone = Phone.start(Intent(Intent.ACTION_VIEW, link))
        phone.await("Contact localhost")
        assertEquals(0, testbed.seen())
        phone.click("Ask for the offer")
        phone.await("A channel is offered")
        phone.controller.newIntent(Intent(Intent.ACTION_VIEW, Uri.parse("lnurlc://other.example/channel")))
        phone.await("Contact other.example?")
    }

    @Test
    fun `the phone finds this app for links in both cases of letters`() {
        val packages = TestbedApp.here.packageManager
        for (link in listOf("lightning:LNURL1", "LIGHTNING:LNURL1", "lnurlc://a.example", "LNURLC://a.example")) {
            val view = Intent(Intent.ACTION_VIEW, Uri.parse(link)).addCategory(Intent.CATEGORY_BROWSABLE)
            val found = packages.queryIntentActivities(view, 0).map { it.activityInfo }
            assertEquals(link, listOf(MainActivity::class.java.name), found.map { it.name })
            assertEquals("in its own task", ActivityInfo.LAUNCH_SINGLE_TASK, found.single().launchMode)
        }
    }

    @Test
    fun `a refusal is shown with the service's words`() {
        val phone = Phone.start()
        phone.offered(testbed.offer("ErrorAnswer"))
        phone.click("Accept")
        phone.await("The service said no: ")
        assertTrue(phone.shows("Refused"))
        phone.click("Done")
        phone.await("Earlier")
    }

    @Test
    fun `what fails is said in a sentence, and can be tried again`() {
        val phone = Phone.start()
        phone.type("nothing")
        phone.click("Continue")
        phone.await("This is no LNURL.")
        phone.type(encodeLnurl("https://127.0.0.1:1/"))
        phone.click("Continue")
        phone.await("Contact 127.0.0.1:1?")
        assertFalse("of the last page", phone.shows("This is no LNURL."))
        phone.click("Ask for the offer")
        phone.await("The service could not be reached. Is this device online?")
        phone.click("Ask for the offer")
        phone.await("The service could not be reached. Is this device online?")
        phone.click("Not now")
        phone.await("Get a channel")
        assertFalse(phone.shows("could not be reached"))
    }

    @Test
    @Config(application = HastyApp::class)
    fun `when no channel has come in time, the user waits on, and nobody is asked again`() {
        val phone = Phone.start()
        phone.waits()
        phone.await("The channel was asked for, and there is none yet that can be used. It may still come.")
        phone.click("Wait on")
        phone.await("Stop waiting")
        testbed.open()
        phone.await("The channel has come")
        assertEquals(1, testbed.callbacks().size)
    }

    @Test
    @Config(application = LonelyApp::class)
    fun `when the node cannot connect nobody was asked, and the offer can be accepted again`() {
        val phone = Phone.start()
        phone.offered(testbed.offer())
        phone.click("Accept")
        phone.await("Your node could not connect to the peer.")
        assertTrue("${phone.texts}", phone.shows("A channel is offered") && phone.shows("Accept"))
        assertEquals(emptyList<String>(), testbed.callbacks())
    }

    @Test
    fun `the user stops waiting, waits on, and cancels`() {
        val phone = Phone.start()
        phone.waits()
        phone.click("Stop waiting")
        phone.click("Wait on")
        phone.await("Stop waiting")
        phone.click("Cancel the request")
        phone.await("Earlier")
        phone.click("Cancelled")
        phone.await("The offer")
        assertEquals("one of them is the cancel", 2, testbed.callbacks().size)
        assertEquals(1, testbed.callbacks().count { "cancel=1" in it })
    }

    @Test
    fun `the user asks again, which is their decision`() {
        val phone = Phone.start()
        phone.waits()
        phone.click("Stop waiting")
        phone.await("Asking again may lead to a second channel.")
        phone.click("Ask again")
        testbed.awaitCallbacks(2, fetches = 1)
    }

    @Test
    fun `back leads to the list, where the request that waits is found again`() {
        val phone = Phone.start()
        phone.waits()
        phone.click("Back")
        phone.await("Under way")
        phone.click("Waiting for the channel")
        phone.await("Time left: ")
        assertEquals(1, testbed.callbacks().size)
    }

    @Test
    fun `the receipt is shared, and holds no secret`() {
        val phone = Phone.start()
        phone.waits()
        phone.click("Share the receipt")
        val chooser = shadowOf(phone.activity).nextStartedActivity
        @Suppress("DEPRECATION")
        val sent = chooser.getParcelableExtra<Intent>(Intent.EXTRA_INTENT)!!
        assertEquals(Intent.ACTION_SEND, sent.action)
        val receipt = sent.getStringExtra(Intent.EXTRA_TEXT)!!
        assertEquals("Awaiting", Json.parseToJsonElement(receipt).jsonObject.text("state"))
        val secret = Regex("k1=([^&]+)").find(testbed.callbacks().single())!!.groupValues[1]
        assertFalse(secret in receipt)
    }

    /** What the wallet goes on from. */
    private fun Phone.arrived(): ChannelOutcome {
        val arrived = TestbedApp.here.wallet.arrived
        await("the wallet is told") { arrived.isNotEmpty() }
        return arrived.single()
    }

    private fun Phone.waits() {
        offered(testbed.offer("OkAndNeverOpens"))
        click("Accept")
        await("The service agreed")
        await("Waiting for the channel")
    }

    private fun Testbed.seen() = get("requests").getValue("requests").jsonArray.size
}
