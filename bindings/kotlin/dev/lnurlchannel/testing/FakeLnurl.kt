package dev.lnurlchannel.testing

import dev.lnurlchannel.Lnurl
import dev.lnurlchannel.NoHandle

/** An [Lnurl] that was decoded from nothing. Needs no native library. */
class FakeLnurl(
    private val host: String = "service.example",
    private val url: String = "https://$host/channel",
) : Lnurl(NoHandle) {
    override fun url(): String = url

    override fun host(): String = host

    override fun isOnion(): Boolean = host.endsWith(".onion")

    override fun toString(): String = host

    override fun equals(other: Any?): Boolean = other is FakeLnurl && other.url == url

    override fun hashCode(): Int = url.hashCode()
}
