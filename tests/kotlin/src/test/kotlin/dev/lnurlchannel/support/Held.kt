package dev.lnurlchannel.support

import com.sun.jna.Native
import com.sun.jna.Platform
import com.sun.jna.Structure
import com.sun.management.UnixOperatingSystemMXBean
import dev.lnurlchannel.FfiConverterTypeChannelListener
import dev.lnurlchannel.FfiConverterTypeWalletNode
import dev.lnurlchannel.uniffiContinuationHandleMap
import java.lang.management.ManagementFactory
import javax.management.ObjectName
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.delay

/** What the process holds of the library, after a full collection. */
class Held {
    /** Objects of the bindings and of JNA. */
    val objects: Int = histogram().lines()
        .filter { "dev.lnurlchannel" in it || "com.sun.jna" in it }
        .sumOf { it.trim().split(WHITE_SPACE)[1].toInt() }

    /** Wallets' nodes and listeners that the library may call. */
    val foreign: Int = FfiConverterTypeWalletNode.handleMap.size + FfiConverterTypeChannelListener.handleMap.size

    /** Suspended calls. */
    val continuations: Int = uniffiContinuationHandleMap.size

    /** What the library, and all else outside the JVM's heap, has from the system's allocator. */
    val nativeBytes: Long = if (Platform.isLinux()) allocator.mallinfo2().inUse() else 0

    val threads: Int = ManagementFactory.getThreadMXBean().threadCount
    val files: Long =
        (ManagementFactory.getOperatingSystemMXBean() as UnixOperatingSystemMXBean).openFileDescriptorCount

    override fun toString(): String = "$objects objects, $foreign of the wallet's, $continuations continuations, " +
        "${nativeBytes / 1024} KB outside the heap, $threads threads, $files files"

    /** Fields in the order of `struct mallinfo2`. */
    @Structure.FieldOrder(
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
    )
    class MallInfo : Structure(), Structure.ByValue {
        @JvmField var arena = 0L
        @JvmField var ordblks = 0L
        @JvmField var smblks = 0L
        @JvmField var hblks = 0L
        @JvmField var hblkhd = 0L
        @JvmField var usmblks = 0L
        @JvmField var fsmblks = 0L
        @JvmField var uordblks = 0L
        @JvmField var fordblks = 0L
        @JvmField var keepcost = 0L

        fun inUse() = uordblks + hblkhd
    }

    interface Allocator : com.sun.jna.Library {
        fun mallinfo2(): MallInfo
    }

    companion object {
        private val WHITE_SPACE = Regex("\\s+")
        private val allocator by lazy { Native.load("c", Allocator::class.java) }

        private fun histogram() = ManagementFactory.getPlatformMBeanServer().invoke(
            ObjectName("com.sun.management:type=DiagnosticCommand"),
            "gcClassHistogram",
            arrayOf<Any>(emptyArray<String>()),
            arrayOf(Array<String>::class.java.name),
        ) as String

        /** What is held once the collector, and the cleaners behind it, find nothing more to free. */
        suspend fun atRest(): Held {
            var held = Held()
            while (true) {
                delay(20.milliseconds)
                val next = Held()
                if (next.objects >= held.objects && next.nativeBytes >= held.nativeBytes) return next
                held = next
            }
        }
    }
}
