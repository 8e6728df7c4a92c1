package dev.lnurlchannel.samples

import dev.lnurlchannel.WalletNodeException
import java.io.InputStream
import java.net.URI
import java.security.KeyStore
import java.security.cert.CertificateFactory
import javax.net.ssl.HttpsURLConnection
import javax.net.ssl.SSLContext
import javax.net.ssl.TrustManagerFactory
import org.json.JSONArray
import org.json.JSONObject

private const val CONNECT_TIMEOUT_MS = 10_000

/** Longer than LND itself takes to answer: see `LndWalletNode.connect`. */
private const val READ_TIMEOUT_MS = 30_000

/** A phone's connections die without a sign. One that stands may well be silent for so long. */
private const val STREAM_TIMEOUT_MS = 60_000

/** LND's REST interface at [url], with a macaroon in hex. Trusts LND's `tls.cert`, and nothing else. */
class LndRest(private val url: String, certificate: InputStream, private val macaroon: String) {
    private val sockets = SSLContext.getInstance("TLS").apply {
        val store = KeyStore.getInstance(KeyStore.getDefaultType()).apply { load(null) }
        store.setCertificateEntry("lnd", CertificateFactory.getInstance("X.509").generateCertificate(certificate))
        val trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm()).apply { init(store) }
        init(null, trust.trustManagers, null)
    }.socketFactory

    fun get(path: String): JSONObject = json(answer("GET", path))

    fun post(path: String, vararg fields: Pair<String, Any>): JSONObject =
        json(answer("POST", path, JSONObject(mapOf(*fields))))

    fun delete(path: String): JSONObject = json(answer("DELETE", path))

    /**
     * Hands over what LND streams, one object for each line, until the connection ends. After a minute
     * without any it throws `SocketTimeoutException`, as nothing tells silence from a dead connection.
     */
    fun stream(path: String, take: (JSONObject) -> Unit) = answer("GET", path, readTimeoutMs = STREAM_TIMEOUT_MS)
        .bufferedReader().forEachLine { take(JSONObject(it).getJSONObject("result")) }

    private fun json(answer: InputStream) = JSONObject(answer.reader().use { it.readText() })

    private fun answer(
        method: String, path: String, body: JSONObject? = null, readTimeoutMs: Int = READ_TIMEOUT_MS,
    ): InputStream {
        val connection = URI(url + path).toURL().openConnection() as HttpsURLConnection
        connection.requestMethod = method
        connection.sslSocketFactory = sockets
        connection.connectTimeout = CONNECT_TIMEOUT_MS
        connection.readTimeout = readTimeoutMs
        connection.setRequestProperty("Grpc-Metadata-macaroon", macaroon)
        if (body != null) {
            connection.doOutput = true
            connection.outputStream.use { it.write(body.toString().toByteArray()) }
        }
        val status = connection.responseCode
        if (status == HttpsURLConnection.HTTP_OK) return connection.inputStream
        // LND's own words are JSON; those of a proxy, or none at all, are not.
        val words = connection.errorStream?.reader()?.use { it.readText() }.orEmpty()
        val reason = runCatching { JSONObject(words).getString("message") }.getOrDefault("HTTP $status")
        throw WalletNodeException.Failed("LND: $reason")
    }
}

/** Android's `JSONArray` can't be iterated. */
fun JSONArray.objects(): List<JSONObject> = List(length(), ::getJSONObject)
