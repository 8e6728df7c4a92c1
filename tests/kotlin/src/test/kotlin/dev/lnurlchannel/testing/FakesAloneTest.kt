package dev.lnurlchannel.testing

import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.ObservedWalletNode
import dev.lnurlchannel.support.LIMIT
import dev.lnurlchannel.support.PlainNode
import java.io.File
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** The fakes in a JVM that has neither the native library nor JNA. */
class FakesAloneTest {
    @Test
    fun `fakes need neither the native library nor JNA`() {
        val classPath = System.getProperty("java.class.path").split(File.pathSeparator)
            .filterNot { File(it).name.startsWith("jna-") }
        val java = File(System.getProperty("java.home"), "bin/java").path
        val process = ProcessBuilder(
            java, "-cp", classPath.joinToString(File.pathSeparator), FakesAlone::class.java.name,
        ).redirectErrorStream(true).start()
        val output = process.inputReader().readText()
        assertTrue(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS))
        assertEquals(0, process.exitValue(), output)
        assertEquals("without JNA", output.trim())
    }
}

object FakesAlone {
    @JvmStatic
    fun main(arguments: Array<String>) {
        runBlocking {
            val node = ObservedWalletNode(PlainNode())
            val client = FakeChannelClient()
            client.offer(FakeChannelRequest(node = node) { asking(); agree(); arrive(fakeOpening()) })
            client.refuse(LnurlChannelException.Unreachable("no network"))
            val request = client.fetch(FakeLnurl())
            check(request.accept() is ChannelOutcome.Opening)
            check(runCatching { request.accept() }.exceptionOrNull() is LnurlChannelException.WrongState)
            check(runCatching { client.fetch(FakeLnurl()) }.isFailure)
            request.close()
            client.shutdown()
            client.close()
        }
        runCatching { Class.forName("com.sun.jna.Native") }.onSuccess { error("JNA is there") }
        println("without JNA")
    }
}
