package dev.lnurlchannel

import dev.lnurlchannel.support.PlainNode
import dev.lnurlchannel.support.Recorder
import dev.lnurlchannel.support.Scene
import dev.lnurlchannel.support.awaitState
import dev.lnurlchannel.support.failure
import dev.lnurlchannel.support.optional
import dev.lnurlchannel.support.scene
import dev.lnurlchannel.support.text
import dev.lnurlchannel.support.timed
import java.net.URI
import java.nio.file.Path
import java.util.HexFormat
import kotlin.io.path.readText
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.put
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** The vectors that the Rust tests read too, `tests/vectors.json`, through the bindings. */
class VectorsTest {
    @Test
    fun `an LNURL decodes and encodes`() {
        for (vector in vectors("lnurl_decode")) {
            val text = vector.text("text")
            val url = vector.text("url")
            assertEquals(url, decodeLnurl(text).url(), text)
            assertEquals(url, decodeLnurl(encodeLnurl(url)).url(), url)
            if (text.startsWith("lnurl1", ignoreCase = true)) assertEquals(text.uppercase(), encodeLnurl(url))
        }
    }

    @Test
    fun `a text that is no LNURL, or an unsafe one, is refused`() = timed {
        for (vector in vectors("lnurl_refused")) {
            val error = failure<LnurlChannelException> { decodeLnurl(vector.text("text")) }
            val problem = (error as? LnurlChannelException.InvalidLnurl)?.problem
            when (vector.text("why")) {
                "http on clearnet", "file scheme", "user info", "NUL" ->
                    assertTrue(error is LnurlChannelException.UnsafeUrl, "$vector: $error")
                "another human-readable part" -> assertEquals(LnurlProblem.NOT_LNURL, problem, "$vector")
                else -> assertEquals(LnurlProblem.DAMAGED, problem, "$vector")
            }
        }
    }

    @Test
    fun `an LNURL is found in the text around it`() = timed {
        for (vector in vectors("lnurl_in_text")) {
            val text = vector.text("text")
            val problem = vector.optional("problem")
            if (problem == null) {
                assertEquals(vector.text("url"), decodeLnurl(text).url(), text)
            } else {
                assertEquals("InvalidLnurl", vector.text("error"))
                val error = failure<LnurlChannelException.InvalidLnurl> { decodeLnurl(text) }
                assertEquals(problem.uppercase(), error.problem.name, text)
            }
        }
    }

    @Test
    fun `an onion host of version 3 is one`() {
        val host = all.text("onion_v3_valid")
        val lnurl = decodeLnurl("lnurlc://$host/c")
        assertTrue(lnurl.isOnion())
        assertEquals(host, lnurl.host())
    }

    @Test
    fun `an offer is read`() = timed {
        for (vector in vectors("offers")) {
            val body = vector.getValue("body").jsonObject
            val offer = taken(body).offer
            assertEquals(body.text("uri"), "${offer.peer.nodeId}@${offer.peer.socketAddress}")
            assertEquals(SERVICE, offer.service)
            assertEquals(null, offer.answeredBy)
            assertEquals(body.optional("alias"), offer.alias)
            assertEquals(body.optional("callback")?.let { URI(it).host }, offer.callbackHost)
            val kind = if (body.text("tag") == "channelRequest") ChannelKind.FUNDED else ChannelKind.HOSTED
            assertEquals(kind, offer.kind)
        }
    }

    @Test
    fun `a node URI is read`() = timed {
        for (vector in vectors("node_uris")) {
            val body = funded("uri" to vector.getValue("uri"))
            val allowsPrivate = vector["allow_private"]?.jsonPrimitive?.boolean ?: false
            if ("error" in vector) {
                assertEquals("UnsafeUrl PrivateAddress", "${vector.text("error")} ${vector.text("problem")}")
                val error = failure<LnurlChannelException.UnsafeUrl> { taken(body, allowsPrivate = allowsPrivate) }
                assertEquals(UrlProblem.PRIVATE_ADDRESS, error.problem, "$vector")
            } else {
                val peer = taken(body, allowsPrivate = allowsPrivate).offer.peer
                assertEquals(vector.text("host"), peer.host, "$vector")
                assertEquals(vector.getValue("port").jsonPrimitive.int, peer.port.toInt(), "$vector")
            }
        }
    }

    /** Of the callback an app sees the host, or the error. */
    @Test
    fun `a callback is read`() = timed {
        for (vector in vectors("callbacks")) {
            val body = funded("callback" to vector.getValue("callback"))
            val fetchedFrom = decodeLnurl(encodeLnurl(vector.text("fetched_from")))
            if ("error" in vector) {
                assertEquals("InvalidResponse", vector.text("error"))
                failure<LnurlChannelException.InvalidResponse> { taken(body, fetchedFrom) }
            } else {
                val host = URI(vector.text("url")).host
                assertEquals(host, taken(body, fetchedFrom).offer.callbackHost, "$vector")
            }
        }
    }

    @Test
    fun `the service's words are found, in an answer that is fetched and in one that is taken`() = scene {
        for (vector in vectors("words")) {
            val body = vector.getValue("body").jsonObject
            val words = vector.optional("words")
            assertEquals(words, fetchedWords(body), "$vector")
            val taken = failure<LnurlChannelException.Refused> { taken(body) }
            assertEquals(words, taken.words, "$vector")
        }
    }

    @Test
    fun `what cannot be seen is taken out of the service's words`() = scene {
        for (vector in vectors("cleaned_text")) {
            val body = buildJsonObject {
                put("status", "ERROR")
                put("reason", vector.text("text"))
            }
            assertEquals(vector.optional("shown"), fetchedWords(body), "$vector")
        }
    }

    @Test
    fun `an answer to the callback is read`() = scene {
        for (vector in vectors("callback_answers")) {
            val request = fetchAnswering("callback", vector.text("body"))
            val state = when (vector.text("is")) {
                "ok" -> ChannelRequestState.AWAITING
                "refused" -> ChannelRequestState.REFUSED
                "unclear" -> ChannelRequestState.OUTCOME_UNKNOWN
                else -> error("$vector")
            }
            val call = scope.async { runCatching { request.accept() } }
            request.awaitState(state)
            request.pause()
            assertTrue(call.await().isFailure)
            assertEquals(state, request.snapshot().state, "$vector")
        }
    }

    @Test
    fun `a host is asked by the message of the vectors, on each chain`() = timed {
        val invocations = vectors("invoke_hosted_channel")
        for (vector in invocations) {
            val message = sentToTheHost(
                BitcoinNetwork.valueOf(vector.text("network").uppercase()),
                vector.text("secret"),
                HEX.parseHex(vector.text("refund_script_pubkey")),
            )
            assertEquals(vector.text("message"), message, "$vector")
        }
        val hashes = all.getValue("chain_hash").jsonObject
        assertEquals(BitcoinNetwork.entries.map { it.name }.toSet(), hashes.keys.map { it.uppercase() }.toSet())
        for ((network, hash) in hashes) {
            val script = HEX.parseHex(invocations.first().text("refund_script_pubkey"))
            val message = sentToTheHost(BitcoinNetwork.valueOf(network.uppercase()), "00", script)
            assertEquals(hash.jsonPrimitive.content, message.drop(4).take(64), network)
        }
    }

    @Test
    fun `every list of the file is read here`() {
        val read = setOf(
            "lnurl_decode", "lnurl_refused", "lnurl_in_text", "onion_v3_valid", "offers", "node_uris", "callbacks",
            "words", "cleaned_text", "callback_answers", "invoke_hosted_channel", "chain_hash",
        )
        assertEquals(read, all.keys - "_about")
    }

    private fun vectors(kind: String): List<JsonObject> =
        all.getValue(kind).jsonArray.map { it.jsonObject }.also { assertFalse(it.isEmpty(), kind) }

    private val all = Json.parseToJsonElement(Path.of("../vectors.json").readText()).jsonObject

    /** An offer of a funded channel, with one field of the vectors'. */
    private fun funded(field: Pair<String, JsonElement>): JsonObject =
        JsonObject(vectors("offers").first().getValue("body").jsonObject + field)

    /** What a new client makes of an answer that the wallet fetched by itself. */
    private suspend fun taken(
        body: JsonObject,
        lnurl: Lnurl = decodeLnurl("lnurlc://$SERVICE/c"),
        allowsPrivate: Boolean = false,
    ): ChannelRequestSnapshot {
        val config = ClientConfig(storageDir = null, allowPrivateHosts = allowsPrivate)
        val client = ChannelClient(PlainNode(), Recorder(), config)
        try {
            return client.takeAnswer(lnurl, "$body").snapshot()
        } finally {
            client.shutdown()
        }
    }

    /** A request whose service answers [body] at that step. */
    private suspend fun Scene.fetchAnswering(step: String, body: String): ChannelRequest {
        val more = mapOf("fault_step" to step, "http_status" to 200, "body" to body)
        return client.fetch(decodeLnurl(testbed.offer("AnswersWithBody", more = more)))
    }

    /** The words of the error that a real service's answer leads to. */
    private suspend fun Scene.fetchedWords(body: JsonObject): String? =
        failure<LnurlChannelException.Refused> { fetchAnswering("offer", "$body") }.words

    /** The message, its type first, as hex. */
    private suspend fun sentToTheHost(
        network: BitcoinNetwork,
        secret: String,
        script: ByteArray,
    ): String = coroutineScope {
        val sent = CompletableDeferred<String>()
        val node = object : WalletNode by PlainNode(onScript = { script }) {
            override fun sendPeerMessage(peerId: String, messageType: UShort, payload: ByteArray): Boolean =
                sent.complete("%04x".format(messageType.toInt()) + HEX.formatHex(payload))
        }
        val client = ChannelClient(node, Recorder(), ClientConfig(storageDir = null, network = network))
        val body = buildJsonObject {
            put("tag", "hostedChannelRequest")
            put("uri", vectors("offers").last().getValue("body").jsonObject.text("uri"))
            put("k1", secret)
        }
        val request = client.takeAnswer(decodeLnurl("lnurlc://$SERVICE/c"), "$body")
        val call = async { runCatching { request.accept() } }
        val message = sent.await()
        client.shutdown()
        assertTrue(call.await().isFailure)
        message
    }

    private companion object {
        const val SERVICE = "service.com"
        val HEX: HexFormat = HexFormat.of()
    }
}
