package com.example.wallet

import com.sun.jna.NativeLibrary
import com.sun.jna.Platform
import dev.lnurlchannel.ChannelClient
import dev.lnurlchannel.decodeLnurl
import dev.lnurlchannel.testing.FakeChannelClient
import java.io.File
import java.net.URI
import java.util.zip.ZipFile
import javax.xml.parsers.DocumentBuilderFactory
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What the wallet's class path has of the library: its jars, and nothing else. */
class PackagesTest {
    private val library = jar(ChannelClient::class.java)
    private val testing = jar(FakeChannelClient::class.java)

    private fun jar(of: Class<*>) = File(URI("${of.protectionDomain.codeSource.location}"))

    private fun entries(jar: File) = ZipFile(jar).use { zip -> zip.stream().map { it.name }.toList() }

    @Test
    fun `the library is loaded from the jar`() {
        assertTrue(library.name.matches(Regex("lnurl-channel-jvm-[0-9.]+\\.jar")), library.name)
        assertNull(System.getProperty("jna.library.path"))
        decodeLnurl("lnurlc://service.example/channel").close()
        assertTrue("${Platform.RESOURCE_PREFIX}/${System.mapLibraryName("lnurl_channel")}" in entries(library))
        // The name under which JNA unpacks what it finds on the class path.
        val loaded = NativeLibrary.getInstance("lnurl_channel").file
        assertTrue(loaded.name.matches(Regex("jna[0-9]+\\.tmp")), loaded.path)
    }

    @Test
    fun `the fakes are in a jar of their own, without a native library`() {
        assertTrue(testing.name.startsWith("lnurl-channel-testing-"), testing.name)
        val inTesting = entries(testing).filter { it.endsWith(".class") }
        assertTrue(inTesting.isNotEmpty() && inTesting.all { it.startsWith("dev/lnurlchannel/testing/") }, "$inTesting")
        assertTrue(entries(testing).none { it.contains("lnurl_channel.") })
        assertTrue(entries(library).none { it.startsWith("dev/lnurlchannel/testing/") })
    }

    @Test
    fun `what is published is what Maven Central takes`() {
        for (jar in listOf(library, testing)) {
            val name = jar.path.removeSuffix(".jar")
            assertTrue(entries(File("$name-sources.jar")).any { it.startsWith("dev/lnurlchannel/") && it.endsWith(".kt") })
            assertTrue("index.html" in entries(File("$name-javadoc.jar")))
            val text = File("$name.pom").readText()
            val pom = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(text.byteInputStream())
            for (needed in listOf("name", "description", "url", "licenses", "developers", "scm")) {
                val found = pom.documentElement.childNodes.run { List(length, ::item) }.filter { it.nodeName == needed }
                assertTrue(found.single().textContent.isNotBlank(), "$needed in $text")
            }
            for (left in listOf("<parent>", "\${", "SNAPSHOT")) assertFalse(left in text, text)
        }
    }

    @Test
    fun `an app on Kotlin 2_1_20 gets no newer standard library`() = assertEquals("2.1.20", "${KotlinVersion.CURRENT}")
}
