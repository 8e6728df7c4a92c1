package dev.lnurlchannel

/**
 * For logs: of the proxy and the certificates only whether they are set. The address of a proxy may hold a
 * password, which the client refuses, but an app may have logged it by then.
 */
internal fun ClientConfig.printed(): String {
    fun isSet(value: String?) = if (value == null) "none" else "set"
    return "ClientConfig(storageDir=$storageDir, network=$network, proxy=${isSet(proxy)}, " +
        "extraRootCertificates=${isSet(extraRootCertificates)}, allowPrivateHosts=$allowPrivateHosts, " +
        "requestTimeoutSeconds=$requestTimeoutSeconds, connectTimeoutSeconds=$connectTimeoutSeconds, " +
        "channelTimeoutSeconds=$channelTimeoutSeconds, reconnectSeconds=$reconnectSeconds)"
}
