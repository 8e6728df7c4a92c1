package dev.lnurlchannel

/**
 * Sentences for the user, in English or in the app's own words: of errors, concerns, steps and states.
 *
 * They hold no text of a machine, such as an operating system's error. What a service said stands in
 * them as it is: plain text, untrusted.
 *
 * @param lookUp the app's own text for a key, such as `lnurl_channel_error_own_node`, or null for the
 * English one. `%1$s` in it stands for a value, as in [java.lang.String.format]. [keys] lists them all.
 */
public class Sentences(private val lookUp: (key: String) -> String? = { null }) {
    /** What went wrong, and what the user can do. */
    public fun of(error: LnurlChannelException): String = when (error) {
        is LnurlChannelException.InvalidLnurl -> of(error.problem)
        is LnurlChannelException.UnsupportedTag -> text("error_unsupported_tag")
        is LnurlChannelException.UnsafeUrl -> of(error.problem)
        is LnurlChannelException.TorRequired -> text("error_tor_required", error.host)
        is LnurlChannelException.Unreachable -> of(error.problem)
        is LnurlChannelException.InvalidResponse -> text("error_invalid_response")
        is LnurlChannelException.OwnNode -> text("error_own_node")
        is LnurlChannelException.Refused -> quoting("error_refused", error.words)
        is LnurlChannelException.NodeFailed -> of(error.problem)
        is LnurlChannelException.NoChannel ->
            text(if (error.serviceAgreed) "error_no_channel_agreed" else "error_no_channel_unknown")
        is LnurlChannelException.Cancelled -> text("error_cancelled")
        is LnurlChannelException.WrongState -> text("error_wrong_state")
        is LnurlChannelException.StorageFailed -> text("error_storage_failed")
        is LnurlChannelException.InvalidConfig -> text("error_invalid_config")
    }

    /** What stands in the way. */
    public fun of(concern: ChannelConcern): String = when (concern) {
        is ChannelConcern.AnchorReserve -> text("concern_anchor_reserve", concern.missingSat)
        is ChannelConcern.VisibilityRefused -> when (concern.visibility) {
            ChannelVisibility.UNANNOUNCED -> text("concern_unannounced_refused")
            ChannelVisibility.ANNOUNCED -> text("concern_announced_refused")
        }
        is ChannelConcern.ZeroConfRefused -> text("concern_zero_conf_refused")
        is ChannelConcern.TooManyPending -> text("concern_too_many_pending", concern.pending)
        is ChannelConcern.OnionUnreachable -> text("concern_onion_unreachable")
        is ChannelConcern.HostedUnsupported -> text("concern_hosted_unsupported")
        is ChannelConcern.PeerNotConnected -> text("concern_peer_not_connected")
        is ChannelConcern.ConnectionLost -> text("concern_connection_lost")
        is ChannelConcern.OtherVisibilityProposed -> text("concern_other_visibility_proposed")
        is ChannelConcern.ProposalFailed -> text("concern_proposal_failed")
        is ChannelConcern.AnswerUnclear -> quoting("concern_answer_unclear", concern.words)
        is ChannelConcern.NodeFailed -> of(concern.problem)
        is ChannelConcern.ServiceUnreachable -> of(concern.problem)
    }

    /** What has just happened. */
    public fun of(step: ChannelStep): String = text("step_${step.name.lowercase()}")

    /** Where the request stands. */
    public fun of(state: ChannelRequestState): String = text("state_${state.name.lowercase()}")

    private fun of(problem: LnurlProblem): String = text("lnurl_${problem.name.lowercase()}")

    private fun of(problem: UrlProblem): String = text("url_${problem.name.lowercase()}")

    private fun of(problem: NetworkProblem): String = text("network_${problem.name.lowercase()}")

    private fun of(problem: NodeProblem): String = text("node_${problem.name.lowercase()}")

    private fun quoting(key: String, words: String?): String =
        if (words == null) text(key) else text("${key}_with_words", words)

    private fun text(key: String, vararg values: Any): String {
        val text = lookUp(PREFIX + key) ?: ENGLISH.getValue(key)
        return if (values.isEmpty()) text else text.format(*values.map { it.toString() }.toTypedArray())
    }

    /** What an app translates. */
    public companion object {
        private const val PREFIX = "lnurl_channel_"

        /** All keys that [Sentences] looks up, with the English texts. */
        public val keys: Map<String, String> get() = ENGLISH.mapKeys { (key, _) -> PREFIX + key }

        private val ENGLISH: Map<String, String> = mapOf(
            "error_unsupported_tag" to "This code is for something else than a channel.",
            "error_tor_required" to "%1\$s is reached over Tor only.",
            "error_invalid_response" to "The service gave an answer that makes no sense.",
            "error_own_node" to "This offer is of your own node.",
            "error_refused" to "The service said no.",
            "error_refused_with_words" to "The service said no: %1\$s",
            "error_no_channel_agreed" to "The channel was asked for, and there is none yet that can be used. It may still come.",
            "error_no_channel_unknown" to "It is not known whether the channel was asked for, and none has come yet.",
            "error_cancelled" to "You stopped waiting.",
            "error_wrong_state" to "This is not possible now.",
            "error_storage_failed" to "The request could not be stored. Is there room on this device?",
            "error_invalid_config" to "This app is set up wrongly.",
            "lnurl_not_lnurl" to "This is no LNURL.",
            "lnurl_damaged" to "This LNURL is damaged: a letter is missing or wrong.",
            "lnurl_several" to "There are several LNURLs in this text. Scan or paste just one.",
            "url_not_https" to "The address is not safe.",
            "url_private_address" to "The address is in a private network. Does this network want you to log in?",
            "url_other" to "The address cannot be used.",
            "network_no_connection" to "The service could not be reached. Is this device online?",
            "network_timed_out" to "The service did not answer in time.",
            "network_connection_lost" to "The connection to the service broke off.",
            "network_certificate_date" to "The service's certificate is not valid now. Is the clock of this device right?",
            "network_certificate_untrusted" to "The connection to the service is not safe.",
            "network_proxy" to "The proxy could not be reached.",
            "node_not_connected" to "Your node could not connect to the peer.",
            "node_timed_out" to "Your node did not answer in time.",
            "node_unsupported" to "Your node cannot do this.",
            "node_failed" to "Your node failed.",
            "concern_anchor_reserve" to "Your node needs %1\$s sat more on chain before it takes this channel.",
            "concern_unannounced_refused" to "Your node takes no private channels.",
            "concern_announced_refused" to "Your node takes no public channels.",
            "concern_zero_conf_refused" to "The peer wants to open the channel without confirmations, which your node does not take.",
            "concern_too_many_pending" to "Channels of this peer that are still opening: %1\$s. Your node takes no more.",
            "concern_onion_unreachable" to "The peer is reached over Tor only, which your node does not use.",
            "concern_hosted_unsupported" to "Your node cannot take hosted channels.",
            "concern_peer_not_connected" to "Your node is not connected to the peer.",
            "concern_connection_lost" to "The connection to the host was lost. Ask again.",
            "concern_other_visibility_proposed" to "The peer proposed another kind of channel, private or public, than you asked for.",
            "concern_proposal_failed" to "The peer tried to open the channel, and it failed.",
            "concern_answer_unclear" to "The service's answer is not known.",
            "concern_answer_unclear_with_words" to "The service's answer is not clear: %1\$s",
            "step_connecting" to "Connecting to the peer",
            "step_requesting" to "Asking for the channel",
            "step_agreed" to "The service agreed",
            "step_answer_unclear" to "The service's answer is not known",
            "step_reconnecting" to "Connecting to the peer again",
            "step_proposed" to "The peer is opening the channel",
            "step_mismatched" to "The peer proposed another kind of channel",
            "step_opening_failed" to "The opening failed",
            "step_arrived" to "The channel has come",
            "step_progressed" to "The channel is being confirmed",
            "step_ready" to "The channel can be used",
            "step_changed" to "The request changed",
            "state_offered" to "Offered",
            "state_connecting" to "Connecting",
            "state_requesting" to "Asking",
            "state_awaiting" to "Waiting for the channel",
            "state_outcome_unknown" to "Waiting; the service's answer is not known",
            "state_opening" to "The channel is being opened",
            "state_arrived" to "The channel has come, and cannot be used yet",
            "state_ready" to "The channel can be used",
            "state_refused" to "Refused",
            "state_cancelled" to "Cancelled",
        )
    }
}
