import LnurlChannel

/// What the one screen does: scan or paste, see the offer, accept, watch the steps.
///
/// Without SwiftUI, so that it runs, and is tested, wherever Swift does.
@MainActor
public final class ChannelScreenModel {
    public private(set) var screen = ChannelScreen.scanning(problem: nil) {
        didSet { onChange(screen) }
    }
    public var onChange: @MainActor (ChannelScreen) -> Void = { _ in }

    private let client: any ChannelClientProtocol
    private let events: ChannelEvents
    private let decode: (String) throws -> Lnurl
    private var request: ChannelRequest?
    private var call: Task<Void, Never>?

    public init(
        client: any ChannelClientProtocol,
        events: ChannelEvents,
        decode: @escaping (String) throws -> Lnurl = decodeLnurl
    ) {
        self.client = client
        self.events = events
        self.decode = decode
    }

    /// After a start: a request of an earlier run comes first.
    public func start() {
        guard request == nil, let unfinished = client.unfinishedRequests().first else { return }
        request = unfinished
        showState(of: unfinished, problem: nil)
    }

    public func scan(_ text: String) async {
        do {
            let lnurl = try decode(text)
            screen = .fetching(host: lnurl.host())
            let fetched = try await client.fetch(lnurl: lnurl)
            request = fetched
            showState(of: fetched, problem: nil)
        } catch {
            screen = .scanning(problem: error.localizedDescription)
        }
    }

    public func accept() async {
        await run { try await $0.acceptOrPause() }
    }

    /// Wait on for a channel that was asked for.
    public func resume() async {
        await run { try await $0.resumeOrPause() }
    }

    /// The app leaves the foreground, or the user has no patience: `resume` goes on later.
    public func pause() {
        call?.cancel()
    }

    public func decline() {
        guard let request else { return }
        do {
            try request.decline()
            reset()
        } catch {
            showState(of: request, problem: error.localizedDescription)
        }
    }

    /// Give up a channel that was asked for, and tell the service.
    public func cancel() async {
        guard let request else { return }
        do {
            try await request.cancel()
            reset()
        } catch {
            showState(of: request, problem: error.localizedDescription)
        }
    }

    /// Back to the start, once the outcome is seen.
    public func reset() {
        request = nil
        screen = .scanning(problem: nil)
    }

    private func run(
        _ body: @escaping @Sendable (ChannelRequest) async throws -> ChannelOutcome
    ) async {
        guard let request, call == nil else { return }
        let offer = request.offer()
        screen = .running(offer, steps: [])
        let steps = Task { [events = events.of(request)] in
            for await event in events { show(event, of: offer) }
        }
        let call = Task {
            do {
                screen = .arrived(try await body(request))
            } catch is CancellationError {
                showState(of: request, problem: nil)
            } catch {
                showState(of: request, problem: error.localizedDescription)
            }
        }
        self.call = call
        await call.value
        self.call = nil
        steps.cancel()
    }

    private func show(_ event: ChannelEvent, of offer: ChannelOffer) {
        // A step that is read after the end is past.
        guard case .running(_, let steps) = screen else { return }
        screen = .running(offer, steps: steps + [event.sentence])
    }

    private func showState(of request: ChannelRequest, problem: String?) {
        let offer = request.offer()
        switch request.state() {
        case .offered, .connecting, .refused:
            screen = .offered(offer, problem: problem)
        case .requesting, .awaiting, .outcomeUnknown:
            screen = .waiting(offer, problem: problem)
        case .arrived:
            screen = request.outcome().map { .arrived($0) } ?? .waiting(offer, problem: problem)
        case .declined, .cancelled:
            reset()
        }
    }
}

extension ChannelEvent {
    /// A line for the list of steps.
    public var sentence: String {
        switch self {
        case .connecting(let peer): "Connecting to \(peer.host)"
        case .requesting: "Asking for the channel"
        case .awaitingChannel: "Waiting for the channel"
        case .reconnecting(_, let attempt): "Connecting again, attempt \(attempt)"
        case .arrived: "The channel is here"
        }
    }
}
