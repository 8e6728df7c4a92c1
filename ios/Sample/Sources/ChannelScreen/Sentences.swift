import LnurlChannel

// What the user reads, made from kinds and fields. A wallet says it in the user's language.

extension LnurlChannelError {
    /// For the user, where `errorDescription` is for logs.
    public var sentence: String {
        switch self {
        case .InvalidLnurl(.damaged, _): "The code is incomplete. Scan it again."
        case .InvalidLnurl: "This code offers no channel."
        case .UnsupportedTag: "This code is for something else than a channel."
        case .UnsafeUrl(.privateAddress, _): "The network may want you to log in first."
        case .UnsafeUrl, .InvalidResponse: "The service is at fault."
        case .TorRequired: "Turn on Tor to reach this service."
        case .Unreachable(.certificateDate, _): "The service is not trusted. Is the phone's clock right?"
        case .Unreachable: "The service cannot be reached. Try again."
        case .OwnNode: "This code is the wallet's own."
        case .Refused(let words): words.map { "The service said no: \($0)" } ?? "The service said no."
        case .NodeFailed: "The wallet's node could not connect. Try again."
        case .NoChannel(true, _, _): "The service agreed, but no channel has come yet."
        case .NoChannel: "No channel has come yet."
        case .StorageFailed: "The phone cannot store the request."
        case .Cancelled, .WrongState, .InvalidConfig: "That did not work."
        }
    }
}

extension ChannelRequestSnapshot {
    /// How the request stands.
    public var sentence: String {
        switch state {
        case .offered: "The service has not been asked."
        case .connecting: "Connecting to \(offer.peer.host)"
        case .requesting: "Asking for the channel"
        case .awaiting: "Waiting for the channel"
        case .outcomeUnknown: "The answer was unclear. The channel may still come."
        case .opening: "The channel is being opened."
        case .arrived: "A channel of \(amountSat) sat is here."
        case .ready: "The channel of \(amountSat) sat can be used."
        case .refused: refusal.map { "The service said no: \($0)" } ?? "The service said no."
        case .cancelled: "Cancelled"
        }
    }

    private var amountSat: UInt64 {
        channel?.capacitySat ?? (hostedTerms?.capacityMsat ?? 0) / 1000
    }
}

extension ChannelOffer {
    /// Who offers it: nobody vouches for what the code itself holds.
    public var offeredBy: String { service ?? "Nobody but the code" }
}
