package dev.lnurlchannel.testing

import dev.lnurlchannel.Lnurl
import dev.lnurlchannel.NoHandle

/** An [Lnurl] that was decoded from nothing. Needs no native library. */
public class FakeLnurl(
    private val url: String = "https://service.example/channel",
    private val host: String = "service.example",
    private val authority: String = host,
    private val isOnion: Boolean = false,
) : Lnurl(NoHandle) {
    override fun url(): String = url

    override fun host(): String = host

    override fun authority(): String = authority

    override fun isOnion(): Boolean = isOnion

    override fun toString(): String = authority

    override fun equals(other: Any?): Boolean = other is FakeLnurl && other.url == url

    override fun hashCode(): Int = url.hashCode()
}
