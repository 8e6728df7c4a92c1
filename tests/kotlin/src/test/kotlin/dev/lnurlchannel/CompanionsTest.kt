package dev.lnurlchannel

import dev.lnurlchannel.support.NODE_ID
import java.io.File
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What stands beside the bindings and needs no native library. */
class CompanionsTest {
    @Test
    fun `a socket address has an IPv6 host in brackets`() {
        fun address(host: String) = PeerAddress(NODE_ID, host, 9735u).socketAddress
        assertEquals("node.example:9735", address("node.example"))
        assertEquals("192.0.2.1:9735", address("192.0.2.1"))
        assertEquals("[2001:db8::1]:9735", address("2001:db8::1"))
    }

    @Test
    fun `every error has a sentence with its details`() {
        val details = "a detail"
        val errors = listOf(
            LnurlChannelException.InvalidLnurl(LnurlProblem.DAMAGED, details),
            LnurlChannelException.UnsupportedTag(details),
            LnurlChannelException.UnsafeUrl(UrlProblem.OTHER, details),
            LnurlChannelException.TorRequired(details),
            LnurlChannelException.Unreachable(NetworkProblem.TIMED_OUT, details),
            LnurlChannelException.InvalidResponse(details),
            LnurlChannelException.Refused(details),
            LnurlChannelException.NodeFailed(NodeProblem.FAILED, details),
            LnurlChannelException.NoChannel(true, emptyList(), details),
            LnurlChannelException.StorageFailed(details),
            LnurlChannelException.InvalidConfig(details),
        )
        for (error in errors) assertTrue(details in error.describe(), error.describe())
        assertEquals("The service said no.", LnurlChannelException.Refused(null).describe())
        assertEquals("The offer is of the wallet's own node.", LnurlChannelException.OwnNode().describe())
        assertEquals("The call was paused, or the request cancelled.", LnurlChannelException.Cancelled().describe())
        val wrong = LnurlChannelException.WrongState(ChannelRequestState.AWAITING)
        assertEquals("The call does not fit the state of the request: AWAITING", wrong.describe())
    }

    @Test
    fun `variants without fields print their names`() {
        assertEquals("Unrequested", "${ChannelVerdict.Unrequested}")
        assertEquals("[PeerNotConnected, ConnectionLost, OtherVisibilityProposed]", "$WITHOUT_FIELDS")
    }

    @Test
    fun `a configuration is printed without its proxy and its certificates`() {
        val proxies = listOf(
            "socks5h://user:hunter2@127.0.0.1:9050",
            "socks5h://user:hun@ter2@127.0.0.1:9050",
            "http://hunter2",
            "127.0.0.1:9050:user:hunter2",
        )
        for (proxy in proxies) {
            val config = ClientConfig("folder", proxy = proxy, extraRootCertificates = "hunter2")
            for (printed in listOf("$config", "${listOf(config.copy())}")) {
                for (secret in listOf("hunter2", "ter2", "user", proxy)) assertFalse(secret in printed, printed)
            }
            assertTrue("proxy=set, extraRootCertificates=set" in "$config", "$config")
        }
    }

    @Test
    fun `a configuration is printed with all else`() {
        // As Kotlin would print it, from the fields as they are declared.
        val config = ClientConfig("folder", BitcoinNetwork.SIGNET, allowPrivateHosts = true, reconnectSeconds = 7u)
        val fields = ClientConfig::class.java.declaredFields.map { it.isAccessible = true; it.name to it.get(config) }
        val hidden = setOf("proxy", "extraRootCertificates")
        val expected = fields.joinToString(prefix = "ClientConfig(", postfix = ")") { (name, value) ->
            "$name=${if (name in hidden) "none" else value}"
        }
        assertEquals(expected, "$config")
    }

    /** Of what UniFFI generates, `tests/documentation.rs` compares the UDL's words with those of Rust. */
    @Test
    fun `what is public and written by hand is documented`() {
        val files = listOf("dev", "testing").flatMap { root ->
            File("../../bindings/kotlin/$root").walk().filter { it.extension == "kt" && it.name != "lnurl_channel.kt" }
        }
        val undocumented = mutableListOf<String>()
        var declarations = 0
        for (file in files) {
            val lines = file.readLines().map(String::trim).filterNot { it.startsWith('@') }
            for ((before, line) in lines.zipWithNext()) {
                if (!line.startsWith("public ") || line.startsWith("public constructor")) continue
                declarations++
                if (!before.endsWith("*/")) undocumented += "${file.name}: $line"
            }
        }
        assertTrue(declarations > 70, "$declarations declarations")
        assertEquals(emptyList<String>(), undocumented)
    }

    private companion object {
        val WITHOUT_FIELDS = listOf(
            ChannelConcern.PeerNotConnected,
            ChannelConcern.ConnectionLost,
            ChannelConcern.OtherVisibilityProposed,
        )
    }
}
