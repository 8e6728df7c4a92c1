package dev.lnurlchannel.support

import dev.lnurlchannel.BitcoinNetwork
import dev.lnurlchannel.ChannelStage
import dev.lnurlchannel.ClientConfig
import dev.lnurlchannel.IncomingChannel
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse.BodyHandlers
import java.time.Duration
import java.util.concurrent.TimeUnit
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

/** The longest that a test waits for anything. */
val LIMIT: Duration = Duration.ofSeconds(20)

/** The testbed's program: real nodes and a service, driven over its control interface. */
class Testbed : AutoCloseable {
    private val process = ProcessBuilder(System.getProperty("testbed.program"), "--json")
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start()
    private val info = Json.parseToJsonElement(process.inputReader().readLine()).jsonObject
    private val http = HttpClient.newHttpClient()
    private val control = info.text("control_url")

    val targetId: String = info.getValue("target").jsonObject.text("id")
    val walletId: String = info.getValue("wallet").jsonObject.text("id")
    val targetUri: String = info.getValue("target").jsonObject.text("uri")
    val onionHost: String = info.text("onion_host")

    /** A client's configuration for this testbed, with time limits for a busy machine. */
    fun config(): ClientConfig = ClientConfig(
        storageDir = null,
        network = BitcoinNetwork.REGTEST,
        extraRootCertificates = info.text("ca_pem"),
        allowPrivateHosts = true,
        requestTimeoutSeconds = 5u,
        connectTimeoutSeconds = 5u,
        channelTimeoutSeconds = 20u,
        reconnectSeconds = 1u,
    )

    /** For calls whose time is to run out. */
    fun hastyConfig(): ClientConfig =
        config().copy(requestTimeoutSeconds = 1u, connectTimeoutSeconds = 1u, channelTimeoutSeconds = 1u)

    /** The LNURL of a new offer. */
    fun offer(vararg habits: String, kind: String = "channel", more: Map<String, Any> = emptyMap()): String =
        post("offers", mapOf("kind" to kind, "habits" to habits.toList()) + more).text("lnurl")

    /** The callbacks that the service has seen. */
    fun callbacks(): List<String> = callbacksIn(get("requests"))

    /** Waits until the service has seen [count] callbacks, each after its one GET if not told otherwise. */
    fun awaitCallbacks(count: Int, fetches: Int = count): List<String> {
        val seen = get("requests?count=${fetches + count}&wait_ms=${LIMIT.toMillis()}")
        return callbacksIn(seen).also { check(it.size >= count) { "$seen" } }
    }

    private fun callbacksIn(seen: JsonObject): List<String> =
        seen.getValue("requests").jsonArray.map { it.jsonObject }
            .filter { it.text("kind") == "callback" }
            .map { it.text("target") }

    fun get(route: String): JsonObject = answer(request(route).GET())

    fun post(route: String, body: Map<String, Any> = emptyMap()): JsonObject =
        answer(request(route).POST(BodyPublishers.ofString(body.toJson().toString())))

    private fun request(route: String) =
        HttpRequest.newBuilder(URI("$control/$route")).timeout(LIMIT.multipliedBy(2))

    private fun answer(request: HttpRequest.Builder): JsonObject {
        val response = http.send(request.build(), BodyHandlers.ofString())
        check(response.statusCode() == 200) { response.body() }
        return Json.parseToJsonElement(response.body()).jsonObject
    }

    /** The program ends with its input. */
    override fun close() {
        process.outputStream.close()
        check(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) { "the testbed did not end" }
    }
}

/** A channel that the target is said to open; its number makes its id. */
fun Testbed.channel(number: Int = 1, stage: ChannelStage = ChannelStage.FUNDED): IncomingChannel = IncomingChannel(
    peerId = targetId,
    stage = stage,
    channelId = "%064x".format(number),
    capacitySat = 100_000uL,
    pushMsat = 0uL,
    isAnnounced = false,
)

fun JsonObject.text(name: String): String = getValue(name).jsonPrimitive.content

fun JsonObject.flag(name: String): Boolean = getValue(name).jsonPrimitive.boolean

fun JsonObject.optional(name: String): String? =
    this[name]?.takeUnless { it is JsonNull }?.jsonPrimitive?.content

private fun Any?.toJson(): JsonElement = when (this) {
    is Map<*, *> -> JsonObject(entries.associate { (name, value) -> name.toString() to value.toJson() })
    is List<*> -> JsonArray(map { it.toJson() })
    is Number -> JsonPrimitive(this)
    is Boolean -> JsonPrimitive(this)
    else -> JsonPrimitive(toString())
}
