package dev.lnurlchannel

/**
 * One English sentence, without secrets: for logs, bug reports and developers.
 *
 * What an app shows its users it builds from the kind of error and its fields, in their language.
 */
public fun LnurlChannelException.describe(): String = when (this) {
    is LnurlChannelException.InvalidLnurl -> "This is not an LNURL that can be used: $reason"
    is LnurlChannelException.UnsupportedTag -> "This LNURL is for something else: $tag"
    is LnurlChannelException.UnsafeUrl -> "The address is not safe to use: $reason"
    is LnurlChannelException.TorRequired -> "$host is reached over Tor only, and no proxy is configured."
    is LnurlChannelException.Unreachable -> "The service could not be reached: $reason"
    is LnurlChannelException.InvalidResponse -> "The service's answer breaks the protocol: $reason"
    is LnurlChannelException.OwnNode -> "The offer is of the wallet's own node."
    is LnurlChannelException.Refused -> if (words == null) "The service said no." else "The service said no: $words"
    is LnurlChannelException.NodeFailed -> "The wallet's node could not do its part: $reason"
    is LnurlChannelException.NoChannel -> "No channel has arrived yet: $reason"
    is LnurlChannelException.Cancelled -> "The call was paused, or the request cancelled."
    is LnurlChannelException.WrongState -> "The call does not fit the state of the request: $state"
    is LnurlChannelException.StorageFailed -> "The requests could not be stored or read: $reason"
    is LnurlChannelException.InvalidConfig -> "The configuration is wrong: $reason"
}
