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

/** LND's REST interface at [url], with a macaroon in hex. Trusts LND's `tls.cert`, and nothing else. */
class LndRest(private val url: String, certificate: InputStream, private val macaroon: String) {
    private val sockets = SSLContext.getInstance("TLS").apply {
        val store = KeyStore.getInstance(KeyStore.getDefaultType()).apply { load(null) }
        store.setCertificateEntry("lnd", CertificateFactory.getInstance("X.509").generateCertificate(certificate))
        val trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm()).apply { init(store) }
        init(null, trust.trustManagers, null)
    }.socketFactory

    fun get(path: String): JSONObject = JSONObject(answer(path).reader().use { it.readText() })

    fun post(path: String, vararg fields: Pair<String, Any>): JSONObject =
        JSONObject(answer(path, JSONObject(mapOf(*fields))).reader().use { it.readText() })

    /** Hands over what LND streams, one object for each line, until the connection ends. */
    fun stream(path: String, take: (JSONObject) -> Unit) =
        answer(path).bufferedReader().forEachLine { take(JSONObject(it).getJSONObject("result")) }

    private fun answer(path: String, body: JSONObject? = null): InputStream {
        val connection = URI(url + path).toURL().openConnection() as HttpsURLConnection
        connection.sslSocketFactory = sockets
        connection.connectTimeout = CONNECT_TIMEOUT_MS
        connection.setRequestProperty("Grpc-Metadata-macaroon", macaroon)
        if (body != null) {
            connection.doOutput = true
            connection.outputStream.use { it.write(body.toString().toByteArray()) }
        }
        if (connection.responseCode == HttpsURLConnection.HTTP_OK) return connection.inputStream
        val reason = connection.errorStream.reader().use { JSONObject(it.readText()).optString("message") }
        throw WalletNodeException.Failed("LND: $reason")
    }
}

/** Android's `JSONArray` can't be iterated. */
fun JSONArray.objects(): List<JSONObject> = List(length(), ::getJSONObject)
