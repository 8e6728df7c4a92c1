package driver

import java.net.HttpURLConnection
import java.net.URL

/** The testbed as a program of its own, driven over its control interface. */
class Testbed(program: String) : AutoCloseable {
    private val process = ProcessBuilder(program, "--json").redirectError(ProcessBuilder.Redirect.INHERIT).start()
    val info: String = process.inputStream.bufferedReader().readLine()
    private val control = field(info, "control_url")

    fun get(route: String) = call("GET", route, null)

    fun post(route: String, body: String) = call("POST", route, body)

    private fun call(method: String, route: String, body: String?): String {
        val connection = URL("$control$route").openConnection() as HttpURLConnection
        connection.requestMethod = method
        if (body != null) {
            connection.doOutput = true
            connection.outputStream.use { it.write(body.toByteArray()) }
        }
        check(connection.responseCode == 200) { "$method $route: ${connection.responseCode}" }
        return connection.inputStream.use { it.readBytes().decodeToString() }
    }

    override fun close() {
        process.outputStream.close()
        process.waitFor()
    }

    companion object {
        /** The first text field of that name, wherever it stands. */
        fun field(json: String, name: String): String = fieldOrNull(json, name) ?: error("no $name in $json")

        fun fieldOrNull(json: String, name: String): String? =
            Regex("\"$name\":\"((?:[^\"\\\\]|\\\\.)*)\"").find(json)?.let { it.groupValues[1].replace("\\n", "\n") }
    }
}
