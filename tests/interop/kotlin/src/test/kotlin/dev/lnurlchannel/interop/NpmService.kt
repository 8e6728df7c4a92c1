package dev.lnurlchannel.interop

import java.util.concurrent.TimeUnit
import org.json.JSONObject

private const val LIMIT_SECONDS = 20L

/** The LNURL service of the npm package `lnurl`, which opens channels from [lnd]. */
class NpmService(lnd: Lnd, certificate: String, key: String) : AutoCloseable {
    private val options = JSONObject(mapOf("lnd" to lnd.backend(), "cert" to certificate, "key" to key))
    private val process = ProcessBuilder("node", "../parts/npm-lnurl/service.js", options.toString())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start()
    private val lines = process.inputReader()

    init {
        said("ready")
    }

    /** The LNURL of a new offer. */
    fun offer(capacitySat: Int, pushSat: Int): String {
        process.outputStream.apply {
            write("${JSONObject(mapOf("localAmt" to capacitySat, "pushAmt" to pushSat))}\n".toByteArray())
            flush()
        }
        return said("offer").getString("lnurl")
    }

    private fun said(what: String): JSONObject =
        lines.lineSequence().map(::JSONObject).first { it.has(what) }.getJSONObject(what)

    /** It ends with its input. */
    override fun close() {
        process.outputStream.close()
        check(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) { "the service did not end" }
    }
}
