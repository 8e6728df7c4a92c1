package com.example.wallet

import dev.lnurlchannel.BitcoinNetwork
import dev.lnurlchannel.ClientConfig
import java.io.File
import java.io.IOException
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse.BodyHandlers
import java.time.Duration
import kotlin.concurrent.thread
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

/** The longest that a test waits for anything. */
const val LIMIT_SECONDS = 20L

/** Real nodes and a service, in a process that was started with `--json` and printed [info]. */
class Testbed(private val info: JsonObject) {
    private val http = HttpClient.newHttpClient()
    private val control = info.text("control_url")
    val walletId = info.getValue("wallet").jsonObject.text("id")
    val targetId = info.getValue("target").jsonObject.text("id")

    fun config(folder: File) = ClientConfig(
        storageDir = folder.path,
        network = BitcoinNetwork.REGTEST,
        extraRootCertificates = info.text("ca_pem"),
        allowPrivateHosts = true,
        reconnectSeconds = 1u,
    )

    fun offer(vararg habits: String): String = post("offers", "kind" to "channel", "habits" to habits.toList()).text("lnurl")

    /** How many callbacks the service has seen. */
    fun callbacks(): Int = get("requests").getValue("requests").jsonArray
        .count { it.jsonObject.text("kind") == "callback" }

    fun get(route: String): JsonObject = answer(request(route).GET())

    fun post(route: String, vararg body: Pair<String, Any>): JsonObject =
        answer(request(route).POST(BodyPublishers.ofString(JsonObject(body.toMap().mapValues { json(it.value) }).toString())))

    private fun request(route: String) =
        HttpRequest.newBuilder(URI("$control/$route")).timeout(Duration.ofSeconds(LIMIT_SECONDS))

    private fun answer(request: HttpRequest.Builder): JsonObject {
        val response = http.send(request.build(), BodyHandlers.ofString())
        check(response.statusCode() == 200) { response.body() }
        return Json.parseToJsonElement(response.body()).jsonObject
    }

    private fun json(value: Any) = when (value) {
        is List<*> -> JsonArray(value.map { JsonPrimitive(it.toString()) })
        is Boolean -> JsonPrimitive(value)
        is Number -> JsonPrimitive(value)
        else -> JsonPrimitive(value.toString())
    }

    companion object {
        /** A testbed for [test] alone; its process ends with its input. */
        fun <T> use(test: (info: String) -> T): T {
            val process = ProcessBuilder(System.getProperty("testbed.program"), "--json")
                .redirectError(ProcessBuilder.Redirect.INHERIT).start()
            return try {
                test(process.inputReader().readLine())
            } finally {
                process.outputStream.close()
                process.waitFor()
            }
        }

        fun of(info: String) = Testbed(Json.parseToJsonElement(info).jsonObject)
    }
}

/** The testbed's wallet node, as the wallet's own. */
class TestbedLdk(private val testbed: Testbed) : Ldk {
    override val id = testbed.walletId

    override fun start(onEvent: (NodeEvent) -> Unit) {
        thread(isDaemon = true, name = "ldk") {
            try {
                while (true) {
                    val seen = testbed.get("wallet/events?wait_ms=200").getValue("events").jsonArray
                    seen.mapNotNull { event(it.jsonObject) }.forEach(onEvent)
                }
            } catch (_: IOException) {
                // The testbed has ended.
            }
        }
    }

    override fun channelIds(peerId: String) = testbed.get("wallet/channels?node_id=$peerId")
        .getValue("channel_ids").jsonArray.map { it.jsonPrimitive.content }

    override fun connect(peerId: String, address: String): Boolean {
        val (host, port) = address.split(':')
        return testbed.post("wallet/connect", "node_id" to peerId, "host" to host, "port" to port.toInt())
            .getValue("connected").jsonPrimitive.boolean
    }

    override fun disconnectUnlessNeeded(peerId: String) {
        if (channelIds(peerId).isEmpty()) testbed.post("wallet/disconnect", "node_id" to peerId)
    }

    override fun remember(peerId: String) = Unit

    override fun answer(proposal: NodeEvent.OpenChannelRequest, isAccepted: Boolean) {
        val answer = if (isAccepted) "accept_channel" else "reject_channel"
        testbed.post("wallet/$answer", "peer_id" to proposal.peerId, "channel_id" to proposal.temporaryId)
    }

    private fun event(event: JsonObject): NodeEvent? {
        val peerId = event.text("peer_id")
        fun optional(name: String) = event[name]?.takeUnless { it is JsonNull }?.jsonPrimitive?.content
        return when (event.text("type")) {
            "OpenChannelRequest" -> NodeEvent.OpenChannelRequest(
                peerId, event.text("channel_id"), event.getValue("is_announced").jsonPrimitive.boolean)
            "ChannelPending" ->
                NodeEvent.ChannelPending(peerId, event.text("channel_id"), optional("former_channel_id"))
            "ChannelReady" -> NodeEvent.ChannelReady(peerId, event.text("channel_id"))
            "ChannelClosed" -> NodeEvent.ChannelClosed(peerId, event.text("channel_id"), optional("reason"))
            "PeerConnected" -> NodeEvent.PeerConnection(peerId, isConnected = true)
            "PeerDisconnected" -> NodeEvent.PeerConnection(peerId, isConnected = false)
            else -> null
        }
    }
}

fun JsonObject.text(name: String): String = getValue(name).jsonPrimitive.content
