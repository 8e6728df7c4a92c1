import Foundation
import LnurlChannel

/// All that the screen shows, as one value.
public struct ScreenState: Equatable, Sendable {
    public enum Page: Equatable, Sendable {
        /// Scan or paste.
        case scan
        /// The service, for the user to agree to before anything is sent.
        case consent(authority: String, isFetching: Bool)
        case request(RequestPage)
    }

    public var page = Page.scan
    /// Why the last thing that the user wanted did not happen. As plain text: a service's words may be in it.
    public var problem: String?
    /// The client could not be made, as on a full disk.
    public var failedToStart = false
    public var isAskingNode = false
    public var history: [HistoryRow] = []

    /// What VoiceOver says when it changes.
    public func announcement(_ words: Words) -> String {
        if let problem { return problem }
        return switch page {
        case .scan: words(.scanTitle)
        case .consent(let authority, false): words(.consentTitle, authority)
        case .consent(let authority, true): words(.consentAsking, authority)
        case .request(let request): ([request.status] + request.concerns).joined(separator: ". ")
        }
    }
}

/// One of the requests that were accepted.
public struct HistoryRow: Equatable, Sendable, Identifiable {
    /// Of the request.
    public let id: String
    public let title: String
    public let status: String
    public let date: Date

    init(_ request: ChannelRequestSnapshot, words: Words) {
        id = request.requestId
        title = request.offer.service ?? request.offer.alias ?? request.offer.peer.host
        status = words.status(of: request, step: nil)
        date = request.createdAt
    }
}

/// What the system keeps of the screen when it stops the app. Not printed: an LNURL may hold a secret.
public struct SavedScreen: Equatable, Sendable, CustomStringConvertible {
    /// The text that waits for the user's consent, or led to the offer on the screen.
    public var scanned: String?
    public var requestId: String?

    public init(scanned: String? = nil, requestId: String? = nil) {
        self.scanned = scanned
        self.requestId = requestId
    }

    public var description: String { "SavedScreen(\(requestId ?? "no request"))" }
}
