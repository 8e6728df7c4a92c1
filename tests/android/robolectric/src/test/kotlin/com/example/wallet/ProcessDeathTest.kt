package com.example.wallet

import android.os.Bundle
import android.os.Parcel
import dev.lnurlchannel.support.Testbed
import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** The app dies in the middle of a wait, and is started again on the same folder. */
class ProcessDeathTest {
    @get:Rule
    val parent = TemporaryFolder()

    @Test
    fun `after the process was killed, its request is on the screen again, and nobody is asked`() {
        Testbed().use { testbed ->
            val lives = Lives(testbed, parent.newFolder("channels"))
            assertEquals(listOf(KILLED), lives.live(FirstLife::class).filter { it == KILLED })
            assertEquals(1, testbed.callbacks().size)
            lives.live(SecondLife::class)
            assertEquals(1, testbed.callbacks().size)
        }
    }
}

private const val KILLED = "killed while it waits"

/** What the system keeps of an activity. */
private val kept = File(System.getProperty("sample.folder") ?: ".").resolveSibling("activity")

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], application = TestbedApp::class)
class FirstLife {
    @Test
    fun live() {
        val phone = Phone.start()
        phone.offered(TestbedApp.here.testbed.offer("OkAndNeverOpens"))
        phone.click("Accept")
        phone.await("The service agreed")
        val state = Bundle()
        phone.controller.pause().stop().saveInstanceState(state)
        kept.writeBytes(Parcel.obtain().apply { writeBundle(state) }.marshall())
        println(KILLED)
        System.out.flush()
        // Nothing is closed, and nothing told.
        Runtime.getRuntime().halt(0)
    }
}

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], application = TestbedApp::class)
class SecondLife {
    @Test
    fun live() {
        val bytes = kept.readBytes()
        val parcel = Parcel.obtain().apply { unmarshall(bytes, 0, bytes.size); setDataPosition(0) }
        val state = parcel.readBundle(javaClass.classLoader)
        val phone = Phone(Robolectric.buildActivity(MainActivity::class.java).setup(state))
        phone.await("Waiting for the channel")
        phone.await("Time left: ")
        phone.await("Connected to the peer") { phone.texts.contains("Connected to the peer") }
        TestbedApp.here.testbed.open()
        phone.await("The channel has come")
        phone.controller.pause().stop().destroy()
        TestbedApp.here.end()
    }
}
