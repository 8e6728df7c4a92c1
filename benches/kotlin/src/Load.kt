package bench

import dev.lnurlchannel.decodeLnurl
import uniffi.lnurl_channel_floor.echo

private const val LNURL = "lnurl1dp68gurn8ghj7etcv9khqmr99e3k7mf0w4exctmrdpskumn9dsup0gp4"

/** Microseconds from before a library is loaded until its first function has returned. */
fun main(args: Array<String>) {
    val start = System.nanoTime()
    when (args.single()) {
        "library" -> decodeLnurl(LNURL)
        "empty" -> echo(LNURL)
        else -> error("which library?")
    }
    println((System.nanoTime() - start) / 1000)
}
