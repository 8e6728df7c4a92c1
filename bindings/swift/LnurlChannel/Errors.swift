import Foundation

extension LnurlChannelError: LocalizedError {
    /// One English sentence, without secrets: for logs, bug reports and developers.
    ///
    /// What an app shows its users it builds from the kind of error and its fields, in their language.
    public var errorDescription: String? {
        switch self {
        case .InvalidLnurl(_, let reason): "This is not an LNURL that can be used: \(reason)"
        case .UnsupportedTag(let tag): "This LNURL is for something else: \(tag)"
        case .UnsafeUrl(_, let reason): "The address is not safe to use: \(reason)"
        case .TorRequired(let host): "\(host) is reached over Tor only, and no proxy is configured."
        case .Unreachable(_, let reason): "The service could not be reached: \(reason)"
        case .InvalidResponse(let reason): "The service's answer breaks the protocol: \(reason)"
        case .OwnNode: "The offer is of the wallet's own node."
        case .Refused(let words): words.map { "The service said no: \($0)" } ?? "The service said no."
        case .NodeFailed(_, let reason): "The wallet's node could not do its part: \(reason)"
        case .NoChannel(_, _, let reason): "No channel has arrived yet: \(reason)"
        case .Cancelled: "The call was paused, or the request cancelled."
        case .WrongState(let state): "The call does not fit the state of the request: \(state)"
        case .StorageFailed(let reason): "The requests could not be stored or read: \(reason)"
        case .InvalidConfig(let reason): "The configuration is wrong: \(reason)"
        }
    }
}

extension WalletNodeError: LocalizedError {
    /// The wallet's own reason.
    public var errorDescription: String? {
        switch self {
        case .Failed(let reason), .Unsupported(let reason): reason
        }
    }
}
