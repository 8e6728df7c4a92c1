import Foundation

/// Sentences for the user, in English or in the app's own words: of errors, concerns, steps and states.
///
/// They hold no text of a machine, such as an operating system's error. What a service said stands in
/// them as it is: plain text, untrusted.
public struct Sentences: Sendable {
    private let lookUp: @Sendable (String) -> String?

    /// - Parameter lookUp: the app's own text for a key, such as `lnurl_channel_error_own_node`, or nil
    ///   for the English one. `%@` in it stands for a value. `keys` lists them all.
    public init(lookUp: @escaping @Sendable (_ key: String) -> String? = { _ in nil }) {
        self.lookUp = lookUp
    }

    /// The app's own texts stand in `table` of `bundle`; a key that is not there is told in English.
    public init(bundle: Bundle, table: String? = nil) {
        let path = bundle.bundlePath
        self.init { key in
            let none = "\u{0}"
            let bundle = Bundle(path: path)
            let text = bundle?.localizedString(forKey: key, value: none, table: table)
            return text == none ? nil : text
        }
    }

    /// What went wrong, and what the user can do.
    public func of(_ error: LnurlChannelError) -> String {
        switch error {
        case .InvalidLnurl(let problem, _): of(problem)
        case .UnsupportedTag: text("error_unsupported_tag")
        case .UnsafeUrl(let problem, _): of(problem)
        case .TorRequired(let host): text("error_tor_required", host)
        case .Unreachable(let problem, _): of(problem)
        case .InvalidResponse: text("error_invalid_response")
        case .OwnNode: text("error_own_node")
        case .Refused(let words): quoting("error_refused", words)
        case .NodeFailed(let problem, _): of(problem)
        case .NoChannel(let serviceAgreed, _, _):
            text(serviceAgreed ? "error_no_channel_agreed" : "error_no_channel_unknown")
        case .Cancelled: text("error_cancelled")
        case .WrongState: text("error_wrong_state")
        case .StorageFailed: text("error_storage_failed")
        case .InvalidConfig: text("error_invalid_config")
        }
    }

    /// What stands in the way.
    public func of(_ concern: ChannelConcern) -> String {
        switch concern {
        case .anchorReserve(let missingSat): text("concern_anchor_reserve", "\(missingSat)")
        case .visibilityRefused(.unannounced): text("concern_unannounced_refused")
        case .visibilityRefused(.announced): text("concern_announced_refused")
        case .zeroConfRefused: text("concern_zero_conf_refused")
        case .tooManyPending(let pending): text("concern_too_many_pending", "\(pending)")
        case .onionUnreachable: text("concern_onion_unreachable")
        case .hostedUnsupported: text("concern_hosted_unsupported")
        case .peerNotConnected: text("concern_peer_not_connected")
        case .connectionLost: text("concern_connection_lost")
        case .otherVisibilityProposed: text("concern_other_visibility_proposed")
        case .proposalFailed: text("concern_proposal_failed")
        case .answerUnclear(let words): quoting("concern_answer_unclear", words)
        case .nodeFailed(let problem): of(problem)
        case .serviceUnreachable(let problem): of(problem)
        }
    }

    /// What has just happened.
    public func of(_ step: ChannelStep) -> String {
        switch step {
        case .connecting: text("step_connecting")
        case .requesting: text("step_requesting")
        case .agreed: text("step_agreed")
        case .answerUnclear: text("step_answer_unclear")
        case .reconnecting: text("step_reconnecting")
        case .proposed: text("step_proposed")
        case .mismatched: text("step_mismatched")
        case .openingFailed: text("step_opening_failed")
        case .arrived: text("step_arrived")
        case .progressed: text("step_progressed")
        case .ready: text("step_ready")
        case .changed: text("step_changed")
        }
    }

    /// Where the request stands.
    public func of(_ state: ChannelRequestState) -> String {
        switch state {
        case .offered: text("state_offered")
        case .connecting: text("state_connecting")
        case .requesting: text("state_requesting")
        case .awaiting: text("state_awaiting")
        case .outcomeUnknown: text("state_outcome_unknown")
        case .opening: text("state_opening")
        case .arrived: text("state_arrived")
        case .ready: text("state_ready")
        case .refused: text("state_refused")
        case .cancelled: text("state_cancelled")
        }
    }

    /// All keys that are looked up, with the English texts.
    public static var keys: [String: String] {
        Dictionary(uniqueKeysWithValues: english.map { (prefix + $0, $1) })
    }

    private func of(_ problem: LnurlProblem) -> String {
        switch problem {
        case .notLnurl: text("lnurl_not_lnurl")
        case .damaged: text("lnurl_damaged")
        case .several: text("lnurl_several")
        }
    }

    private func of(_ problem: UrlProblem) -> String {
        switch problem {
        case .notHttps: text("url_not_https")
        case .privateAddress: text("url_private_address")
        case .other: text("url_other")
        }
    }

    private func of(_ problem: NetworkProblem) -> String {
        switch problem {
        case .noConnection: text("network_no_connection")
        case .timedOut: text("network_timed_out")
        case .connectionLost: text("network_connection_lost")
        case .certificateDate: text("network_certificate_date")
        case .certificateUntrusted: text("network_certificate_untrusted")
        case .proxy: text("network_proxy")
        }
    }

    private func of(_ problem: NodeProblem) -> String {
        switch problem {
        case .notConnected: text("node_not_connected")
        case .timedOut: text("node_timed_out")
        case .unsupported: text("node_unsupported")
        case .failed: text("node_failed")
        }
    }

    private func quoting(_ key: String, _ words: String?) -> String {
        words.map { text(key + "_with_words", $0) } ?? text(key)
    }

    private func text(_ key: String, _ value: String? = nil) -> String {
        // Each key that is asked for has its English; a test asks for all.
        let text = lookUp(prefix + key) ?? english[key] ?? key
        return value.map { text.replacingOccurrences(of: "%@", with: $0) } ?? text
    }
}

private let prefix = "lnurl_channel_"

private let english = [
    "error_unsupported_tag": "This code is for something else than a channel.",
    "error_tor_required": "%@ is reached over Tor only.",
    "error_invalid_response": "The service gave an answer that makes no sense.",
    "error_own_node": "This offer is of your own node.",
    "error_refused": "The service said no.",
    "error_refused_with_words": "The service said no: %@",
    "error_no_channel_agreed": "The channel was asked for, and there is none yet that can be used. It may still come.",
    "error_no_channel_unknown": "It is not known whether the channel was asked for, and none has come yet.",
    "error_cancelled": "You stopped waiting.",
    "error_wrong_state": "This is not possible now.",
    "error_storage_failed": "The request could not be stored. Is there room on this device?",
    "error_invalid_config": "This app is set up wrongly.",
    "lnurl_not_lnurl": "This is no LNURL.",
    "lnurl_damaged": "This LNURL is damaged: a letter is missing or wrong.",
    "lnurl_several": "There are several LNURLs in this text. Scan or paste just one.",
    "url_not_https": "The address is not safe.",
    "url_private_address": "The address is in a private network. Does this network want you to log in?",
    "url_other": "The address cannot be used.",
    "network_no_connection": "The service could not be reached. Is this device online?",
    "network_timed_out": "The service did not answer in time.",
    "network_connection_lost": "The connection to the service broke off.",
    "network_certificate_date": "The service's certificate is not valid now. Is the clock of this device right?",
    "network_certificate_untrusted": "The connection to the service is not safe.",
    "network_proxy": "The proxy could not be reached.",
    "node_not_connected": "Your node could not connect to the peer.",
    "node_timed_out": "Your node did not answer in time.",
    "node_unsupported": "Your node cannot do this.",
    "node_failed": "Your node failed.",
    "concern_anchor_reserve": "Your node needs %@ sat more on chain before it takes this channel.",
    "concern_unannounced_refused": "Your node takes no private channels.",
    "concern_announced_refused": "Your node takes no public channels.",
    "concern_zero_conf_refused": "The peer wants to open the channel without confirmations, which your node does not take.",
    "concern_too_many_pending": "Channels of this peer that are still opening: %@. Your node takes no more.",
    "concern_onion_unreachable": "The peer is reached over Tor only, which your node does not use.",
    "concern_hosted_unsupported": "Your node cannot take hosted channels.",
    "concern_peer_not_connected": "Your node is not connected to the peer.",
    "concern_connection_lost": "The connection to the host was lost. Ask again.",
    "concern_other_visibility_proposed": "The peer proposed another kind of channel, private or public, than you asked for.",
    "concern_proposal_failed": "The peer tried to open the channel, and it failed.",
    "concern_answer_unclear": "The service's answer is not known.",
    "concern_answer_unclear_with_words": "The service's answer is not clear: %@",
    "step_connecting": "Connecting to the peer",
    "step_requesting": "Asking for the channel",
    "step_agreed": "The service agreed",
    "step_answer_unclear": "The service's answer is not known",
    "step_reconnecting": "Connecting to the peer again",
    "step_proposed": "The peer is opening the channel",
    "step_mismatched": "The peer proposed another kind of channel",
    "step_opening_failed": "The opening failed",
    "step_arrived": "The channel has come",
    "step_progressed": "The channel is being confirmed",
    "step_ready": "The channel can be used",
    "step_changed": "The request changed",
    "state_offered": "Offered",
    "state_connecting": "Connecting",
    "state_requesting": "Asking",
    "state_awaiting": "Waiting for the channel",
    "state_outcome_unknown": "Waiting; the service's answer is not known",
    "state_opening": "The channel is being opened",
    "state_arrived": "The channel has come, and cannot be used yet",
    "state_ready": "The channel can be used",
    "state_refused": "Refused",
    "state_cancelled": "Cancelled",
]
