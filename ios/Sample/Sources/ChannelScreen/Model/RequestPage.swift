import Foundation
import LnurlChannel

/// What the user can do about a request.
public enum RequestAction: CaseIterable, Sendable {
    case accept, decline, waitOn, askAgain, pause, cancel, dismiss

    public var word: Word {
        switch self {
        case .accept: .actionAccept
        case .decline: .actionDecline
        case .waitOn: .actionWaitOn
        case .askAgain: .actionAskAgain
        case .pause: .actionPause
        case .cancel: .actionCancel
        case .dismiss: .actionDismiss
        }
    }
}

/// A line with its label.
public struct Row: Equatable, Sendable, Identifiable {
    public let label: Word
    public let value: String

    public var id: Word { label }
}

/// What the page of one request shows, in the user's words.
public struct RequestPage: Equatable, Sendable {
    public let requestId: String
    public let offer: [Row]
    /// Whether the user still chooses between a private channel and an announced one.
    public let choosesVisibility: Bool
    public let visibility: ChannelVisibility
    public let concerns: [String]
    public let status: String
    public let isRunning: Bool
    public let waitsUntil: Date?
    public let result: [Row]
    public let actions: [RequestAction]
    /// An offer that was never accepted has none.
    public let hasReceipt: Bool

    /// - Parameters:
    ///   - step: what happened last.
    ///   - visibility: what the user has chosen.
    ///   - preflight: what the node says beforehand.
    ///   - wasAccepted: whether the client lists it.
    init(
        _ request: ChannelRequestSnapshot, step: ChannelStep?, visibility: ChannelVisibility,
        preflight: [ChannelConcern], wasAccepted: Bool, words: Words
    ) {
        let isOffered = request.state == .offered && !request.isRunning
        requestId = request.requestId
        offer = OfferRows(words: words).rows(request.offer)
        choosesVisibility = isOffered && request.offer.kind == .funded
        self.visibility = visibility
        // Two of them may have the same sentence.
        concerns = (isOffered ? preflight : request.concerns).map { words.sentences.of($0) }
            .reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        status = words.status(of: request, step: step)
        isRunning = request.isRunning
        waitsUntil = request.isRunning ? request.waitsUntil : nil
        result = ResultRows(words: words).rows(request)
        actions = Self.actions(request)
        hasReceipt = wasAccepted
    }

    /// As docs/states.md has them.
    private static func actions(_ request: ChannelRequestSnapshot) -> [RequestAction] {
        switch request.state {
        case .refused, .cancelled, .ready: request.isDismissed ? [] : [.dismiss]
        case .arrived:
            (request.awaitsReady && !request.isRunning ? [.waitOn] : []) + (request.isDismissed ? [] : [.dismiss])
        case _ where request.isRunning: [.pause, .cancel]
        case .offered, .connecting: [.accept, .decline]
        case .awaiting, .outcomeUnknown: [.waitOn, .askAgain, .cancel]
        case .requesting, .opening: [.waitOn, .cancel]
        }
    }
}

extension Words {
    /// While a call runs, what it has just done; else where the request stands.
    func status(of request: ChannelRequestSnapshot, step: ChannelStep?) -> String {
        switch request.state {
        case .refused: sentences.of(LnurlChannelError.Refused(words: request.refusal))
        case .arrived where request.offer.kind == .hosted:
            self(request.hostedTerms == nil ? .hostedExists : .hostedOffered)
        default: (request.isRunning ? progress(of: request, step) : nil) ?? sentences.of(request.state)
        }
    }

    /// None where the state says more.
    private func progress(of request: ChannelRequestSnapshot, _ step: ChannelStep?) -> String? {
        switch step {
        case nil, .changed, .arrived: nil
        // It is over, and no step of its own.
        case .connecting, .reconnecting: request.isPeerConnected ? nil : step.map { sentences.of($0) }
        default: step.map { sentences.of($0) }
        }
    }
}
