package dev.lnurlchannel.testing

import dev.lnurlchannel.ChannelOutcome
import dev.lnurlchannel.ChannelRequests
import dev.lnurlchannel.ChannelRequestState
import dev.lnurlchannel.ChannelStep
import dev.lnurlchannel.LnurlChannelException
import dev.lnurlchannel.NetworkProblem
import dev.lnurlchannel.describe
import dev.lnurlchannel.socketAddress
import dev.lnurlchannel.support.LIMIT
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
            val requests = ChannelRequests()
            val client = FakeChannelClient(listener = requests)
            requests.follow(client)
            val request = client.fetchReturns()
            client.fetchThrows(LnurlChannelException.Unreachable(NetworkProblem.TIMED_OUT, "no network"))
            request.acceptReturns(fakeFunded())
            check(client.fetch(FakeLnurl()).accept() is ChannelOutcome.Funded)
            request.becomes(request.snapshot().copy(state = ChannelRequestState.ARRIVED), ChannelStep.ARRIVED)
            check(requests.value.single().state == ChannelRequestState.ARRIVED)
            val error = runCatching { client.fetch(FakeLnurl()) }.exceptionOrNull() as LnurlChannelException
            check("no network" in error.describe())
            check(request.snapshot().offer.peer.socketAddress == "node.example:9735")
            request.close()
            client.shutdown()
            client.close()
        }
        runCatching { Class.forName("com.sun.jna.Native") }.onSuccess { error("JNA is there") }
        println("without JNA")
    }
}
