package dev.lnurlchannel

import com.sun.jna.Platform
import dev.lnurlchannel.support.PlainNode
import dev.lnurlchannel.support.Recorder
import dev.lnurlchannel.support.Testbed
import dev.lnurlchannel.support.awaitState
import dev.lnurlchannel.support.channel
import dev.lnurlchannel.support.child
import dev.lnurlchannel.support.shim
import dev.lnurlchannel.support.timed
import java.nio.file.Path
import kotlin.concurrent.thread
import kotlinx.coroutines.async
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** What a screen reads on the main thread, while the phone's disk takes its time. */
class SlowDiskTest {
    @Test
    fun `what a screen reads does not wait for a disk whose fsync takes 500 ms`(@TempDir folder: Path) {
        if (!Platform.isLinux()) return println("the slow disk is played on Linux only")
        val slow = shim("disk", "cc", "-shared", "-fPIC", "../shims/disk.c", "-ldl", "-o")
        val environment = mapOf(
            "LD_PRELOAD" to "$slow",
            "DISK_FOLDER" to "${folder.toRealPath()}",
            "DISK_FSYNC_MS" to "${ScreenOnSlowDisk.FSYNC_MS}",
        )
        val lines = child(ScreenOnSlowDisk::class, environment = environment)
        lines.forEach(::println)
        assertEquals(1, lines.count { " reads on the main thread" in it })
    }
}

/** In a process whose disk is slow. */
object ScreenOnSlowDisk {
    const val FSYNC_MS = 500L
    private const val WRITES = 4
    private const val READS = 1_000
    private const val MS = 1_000_000L

    @JvmStatic
    fun main(arguments: Array<String>) = Testbed().use { testbed ->
        timed {
            val config = testbed.config().copy(storageDir = System.getenv("DISK_FOLDER"))
            val client = ChannelClient(PlainNode(), Recorder(), config)
            val request = client.fetch(decodeLnurl(testbed.offer("OkAndNeverOpens")))
            val call = async { runCatching { request.accept() } }
            request.awaitState(ChannelRequestState.AWAITING)
            read(testbed, client, request)
            client.shutdown()
            check(call.await().isFailure)
        }
    }

    private fun read(testbed: Testbed, client: ChannelClient, request: ChannelRequest) {
        val start = System.nanoTime()
        val writer = thread {
            repeat(WRITES) { number ->
                // Each is stored before the verdict returns.
                val strangers = testbed.channel(number).copy(peerId = testbed.walletId)
                check(client.reportIncomingChannel(strangers) == ChannelVerdict.Unrequested)
            }
        }
        val reads = mutableListOf<Long>()
        while (writer.isAlive) {
            val before = System.nanoTime()
            check(client.requests().single().requestId == request.snapshot().requestId)
            check(request.receipt().isNotEmpty() && client.request(request.requestId()) != null)
            reads += System.nanoTime() - before
        }
        check(System.nanoTime() - start >= WRITES * FSYNC_MS * MS) { "the disk is not slow" }
        reads.sort()
        val at99 = reads[reads.size * 99 / 100]
        println("${reads.size} reads on the main thread: 99 % within ${at99 / 1_000} µs, all within ${reads.last() / MS} ms")
        // Of reads that wait, there would be one for each write. The rest is what a busy machine may take.
        check(reads.size >= READS && at99 < FSYNC_MS / 10 * MS) { "reads have waited" }
    }
}
