package dev.lnurlchannel

/** `host:port`, with an IPv6 address in brackets: what most nodes take. */
public val PeerAddress.socketAddress: String
    get() = if (':' in host) "[$host]:$port" else "$host:$port"
