import LnurlChannel

/// What the one screen shows.
public enum ChannelScreen: Equatable, Sendable {
    /// Scan or paste; `problem` is what went wrong last.
    case scanning(problem: String?)
    /// The host, for the user to agree to before anything is fetched from it.
    case scanned(host: String, problem: String?)
    case fetching(host: String)
    /// The offer, for the user to agree to. `problem` is why the last try came to nothing.
    case offered(ChannelOffer, problem: String?)
    /// The request is under way.
    case running(ChannelOffer, steps: [String])
    /// It was asked for, and may still come: the user can wait on, or give up.
    case waiting(ChannelOffer, problem: String?)
    case arrived(ChannelOutcome)
}
