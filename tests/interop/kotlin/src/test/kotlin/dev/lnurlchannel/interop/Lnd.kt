package dev.lnurlchannel.interop

import dev.lnurlchannel.samples.LndRest
import java.io.File
import java.util.concurrent.TimeUnit

private const val LIMIT_SECONDS = 60L

/** A real LND, as `parts/lnd.sh` starts it under [name]. */
class Lnd(name: String) {
    private val prefix = "LND_${name.uppercase()}"

    val address = variable("ADDRESS")
    val id = address.substringBefore('@')

    /** Its REST interface, as one sees it who holds [macaroon]. */
    fun rest(macaroon: String = File(variable("MACAROON")).readBytes().toHexString()) =
        LndRest(variable("REST"), File(variable("CERT")).inputStream(), macaroon)

    /** What the npm package's backend for LND takes. */
    fun backend() = mapOf("baseUrl" to variable("REST"), "cert" to variable("CERT"), "macaroon" to variable("MACAROON"))

    /** What `lncli` prints. */
    fun cli(vararg words: String): String = output(variable("CLI"), *words)

    private fun variable(what: String): String = System.getenv("${prefix}_$what")
}

/** What `bitcoin-cli` prints. */
fun chain(vararg words: String): String = output(System.getenv("BITCOIN_CLI"), *words)

private fun output(vararg command: String): String {
    val process = ProcessBuilder(*command).redirectError(ProcessBuilder.Redirect.INHERIT).start()
    val text = process.inputReader().use { it.readText() }
    check(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0) { "${command.drop(1)} failed" }
    return text.trim()
}
