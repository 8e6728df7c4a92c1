import Foundation
import LnurlChannel

/// A text of the screens: a key of Localizable.strings.
public enum Word: String, CaseIterable, Sendable {
    case scanTitle = "scan_title"
    case scanHint = "scan_hint"
    case scanCamera = "scan_camera"
    case scanField = "scan_field"
    case scanOpen = "scan_open"
    case scanDemo = "scan_demo"
    case consentTitle = "consent_title"
    case consentHint = "consent_hint"
    case consentAsk = "consent_ask"
    case consentAsking = "consent_asking"
    case offerTitle = "offer_title"
    case offerKind = "offer_kind"
    case offerKindFunded = "offer_kind_funded"
    case offerKindHosted = "offer_kind_hosted"
    case offerService = "offer_service"
    case offerNobody = "offer_nobody"
    case offerAnsweredBy = "offer_answered_by"
    case offerCallbackHost = "offer_callback_host"
    case offerAlias = "offer_alias"
    case offerNode = "offer_node"
    case offerNodeId = "offer_node_id"
    case visibilityTitle = "visibility_title"
    case visibilityUnannounced = "visibility_unannounced"
    case visibilityAnnounced = "visibility_announced"
    case visibilityHint = "visibility_hint"
    case concernsTitle = "concerns_title"
    case concernsAsking = "concerns_asking"
    case progressTitle = "progress_title"
    case progressUntil = "progress_until"
    case progressLeft = "progress_left"
    case hostedOffered = "hosted_offered"
    case hostedExists = "hosted_exists"
    case resultTitle = "result_title"
    case resultCapacity = "result_capacity"
    case resultReceived = "result_received"
    case resultConfirmations = "result_confirmations"
    case resultConfirmationsOf = "result_confirmations_of"
    case resultChannelId = "result_channel_id"
    case amountSat = "amount_sat"
    case actionAccept = "action_accept"
    case actionDecline = "action_decline"
    case actionWaitOn = "action_wait_on"
    case actionAskAgain = "action_ask_again"
    case actionPause = "action_pause"
    case actionCancel = "action_cancel"
    case actionDismiss = "action_dismiss"
    case actionBack = "action_back"
    case actionTryAgain = "action_try_again"
    case askAgainWarning = "ask_again_warning"
    case historyTitle = "history_title"
    case historyEmpty = "history_empty"
    case receiptShare = "receipt_share"
}

/// What the user reads, in the user's language: the screens' own texts, and the library's sentences.
public struct Words: Sendable {
    public let sentences = Sentences(bundle: .module)

    public init() {}

    public func callAsFunction(_ word: Word, _ values: String...) -> String {
        let parts = Bundle.module.localizedString(forKey: word.rawValue, value: nil, table: nil)
            .components(separatedBy: "%")
        // In one go, so that what looks like a place in a value stays as it is.
        return parts[0]
            + parts.dropFirst().map { part in
                for (number, value) in zip(1..., values) where part.hasPrefix("\(number)$@") {
                    return value + part.dropFirst("\(number)$@".count)
                }
                return "%" + part
            }.joined()
    }

    public func sat(_ amount: UInt64) -> String { self(.amountSat, amount.formatted()) }

    /// For the user, where an error's own `localizedDescription` is English, for logs.
    public func sentence(_ error: any Error) -> String {
        (error as? LnurlChannelError).map { sentences.of($0) } ?? error.localizedDescription
    }
}
