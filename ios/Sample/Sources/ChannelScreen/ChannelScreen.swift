import LnurlChannel

/// What the one screen shows.
public enum ChannelScreen: Equatable, Sendable {
    /// Scan or paste; `problem` is what was wrong with the last text.
    case scanning(problem: String?)
    /// The service, for the user to agree to before anything is fetched from it.
    case scanned(authority: String, problem: String?)
    case fetching(authority: String)
    /// A request as it stands now; `problem` is why its last call ended without a channel.
    case request(ChannelRequestSnapshot, problem: String?)
}
