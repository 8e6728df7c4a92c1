package com.example.wallet

import com.sun.jna.Platform
import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.ChannelListener
import dev.lnurlchannel.ChannelVerdict
import dev.lnurlchannel.support.Testbed
import dev.lnurlchannel.support.channel
import dev.lnurlchannel.support.shim
import kotlin.concurrent.thread
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** What the app does on the main thread, while the phone's disk takes its time. */
class SlowDiskTest {
    @get:Rule
    val parent = TemporaryFolder()

    @Test
    fun `no call of the app holds the main thread while the disk does`() {
        if (!Platform.isLinux()) return println("the slow disk is played on Linux only")
        val folder = parent.newFolder("channels").canonicalFile
        val slow = shim("disk", "cc", "-shared", "-fPIC", "../../shims/disk.c", "-ldl", "-o")
        val environment = mapOf("LD_PRELOAD" to "$slow", "DISK_FOLDER" to "$folder", "DISK_FSYNC_MS" to "$FSYNC_MS")
        val lines = Testbed().use { Lives(it, folder).live(SlowLife::class, environment) }
        lines.forEach(::println)
        assertEquals(1, lines.count { it.startsWith("on the main thread: ") })
    }
}

private const val FSYNC_MS = 500L

class TimedApp : TestbedApp() {
    val times = Times()

    override fun makeClient(wallet: Wallet, listener: ChannelListener): ChannelClient =
        TimedClient(times.take("ChannelClient") { super.makeClient(wallet, listener) }, times)
}

/** The app, in a process whose disk is slow. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], application = TimedApp::class)
class SlowLife {
    @Test
    fun live() {
        val app = RuntimeEnvironment.getApplication() as TimedApp
        val phone = Phone.start()
        phone.await("there is a client") { app.client != null }
        val writer = thread { keepBusy(app) }
        phone.offered(app.testbed.offer())
        phone.click("Accept")
        phone.await("The channel has come")
        phone.await("The channel can be used") {
            app.testbed.post("mine")
            phone.shows("The channel can be used")
        }
        phone.click("Share the receipt")
        phone.click("Done")
        phone.offered(app.testbed.offer("OkAndNeverOpens"))
        phone.click("Accept")
        phone.await("The service agreed")
        phone.turn()
        phone.click("Stop waiting")
        phone.click("Ask again")
        phone.await("Stop waiting")
        phone.click("Stop waiting")
        phone.click("Cancel the request")
        phone.await("Earlier")
        phone.click("Cancelled")
        phone.controller.pause().stop().destroy()
        assertTrue("the disk was busy to the end", writer.isAlive)
        writer.interrupt()
        writer.join()
        app.end()

        val calls = app.times.onMain.toSortedMap()
        println("on the main thread: " + calls.map { (name, call) -> "$name ${call.count}× ≤ ${call.longestMs} ms" })
        val written = app.times.elsewhere.getValue("reportIncomingChannel").longestMs
        assertTrue("the disk is slow: $written ms", written >= FSYNC_MS)
        val used = listOf("accept", "askAgain", "awaitReady", "cancel", "dismiss", "fetch", "preflight") +
            listOf("receipt", "request", "snapshot")
        assertTrue("${calls.keys}", calls.keys.containsAll(used))
        assertEquals("these may wait for the disk", emptySet<String>(), calls.keys intersect WRITING)
        // What a call takes that waits for no disk is what a busy machine may take.
        val long = calls.mapValues { it.value.longestMs }.filterValues { it >= FSYNC_MS / 2 }
        assertEquals(emptyMap<String, Long>(), long)
    }

    /** The disk has something to write all the time: each channel is stored before the verdict on it returns. */
    private fun keepBusy(app: TimedApp) {
        var number = 1
        while (!Thread.interrupted()) {
            val strangers = app.testbed.channel(number++).copy(peerId = app.testbed.walletId)
            check(app.client!!.reportIncomingChannel(strangers) == ChannelVerdict.Unrequested)
        }
    }

    private companion object {
        val WRITING = setOf("ChannelClient", "takeAnswer", "checkPeers", "pause") +
            setOf("reportIncomingChannel", "reportChannelClosed", "reportPeerConnection", "reportPeerMessage")
    }
}
