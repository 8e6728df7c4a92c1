package com.example.wallet

import com.example.wallet.ChannelViewModel.Screen
import dev.lnurlchannel.ChannelRequestState
import java.io.BufferedReader
import java.io.File
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.flow.first
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The wallet's process is killed while it waits; the next one goes on, and asks nobody. */
class KillTest {
    @Test
    fun `a killed wallet gets its channel in the next run`(@TempDir folder: File) = Testbed.use { info ->
        val testbed = Testbed.of(info)
        val killed = wallet(info, folder, testbed.offer("OkAndNeverOpens"))
        killed.says("waits")
        // SIGKILL: nothing is closed, and nothing is written any more.
        killed.destroyForcibly()
        assertTrue(killed.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS))
        assertEquals(1, testbed.callbacks())

        val next = wallet(info, folder)
        next.says("waits")
        testbed.post("target/open", "peer_id" to testbed.walletId)
        next.says("arrived from ${testbed.targetId}")
        assertEquals(0, next.waitFor())
        assertEquals(1, testbed.callbacks())
    }

    private fun wallet(vararg arguments: Any): Process {
        val java = File(System.getProperty("java.home"), "bin/java").path
        val command = listOf(java, "-cp", System.getProperty("java.class.path"), WalletProcess::class.java.name)
        return ProcessBuilder(command + arguments.map { "$it" }).redirectError(ProcessBuilder.Redirect.INHERIT).start()
    }

    private val readers = HashMap<Process, BufferedReader>()

    private fun Process.says(line: String) = assertEquals(line, readers.getOrPut(this) { inputReader() }.readLine())
}

/** Says where it stands, line by line. Scans a code if it gets one. */
object WalletProcess {
    @JvmStatic
    fun main(arguments: Array<String>) = within { scope ->
        val (info, folder) = arguments
        val testbed = Testbed.of(info)
        val model = startChannels(scope, TestbedLdk(testbed), testbed.config(File(folder)))
        arguments.getOrNull(2)?.let { code ->
            model.scanned(code)
            model.screen.first { it is Screen.MayContact }
            model.answer(true)
            model.screen.first { it is Screen.MayAccept }
            model.answer(true)
        }
        model.requests.first { all -> all.any { it.state == ChannelRequestState.AWAITING && it.isRunning } }
        println("waits")
        val arrived = model.screen.first { it is Screen.Arrived } as Screen.Arrived
        println("arrived from ${arrived.channel.peerId}")
    }
}
