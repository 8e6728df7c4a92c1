import LnurlChannel

/// What the one screen does: scan or paste, agree to the host, see the offer, accept, watch the steps.
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
    /// What the camera has seen last.
    private var seen: String?
    private var scanned: Lnurl?
    private var request: ChannelRequest?
    private var call: Task<Void, Never>?
    private var wasRunning = false

    public init(
        client: any ChannelClientProtocol,
        events: ChannelEvents,
        decode: @escaping (String) throws -> Lnurl = decodeLnurl
    ) {
        self.client = client
        self.events = events
        self.decode = decode
    }

    /// After a start: requests of an earlier run come first.
    public func start() async {
        guard case .scanning = screen else { return }
        await showNext()
    }

    /// The camera sees a code, many times a second. The same one leads on only once; it does so
    /// again when the user is back at the start.
    public func see(_ text: String) {
        guard text != seen else { return }
        seen = text
        open(text)
    }

    /// Nothing is sent to anyone.
    public func open(_ text: String) {
        guard case .scanning = screen else { return }
        do {
            let lnurl = try decode(text)
            scanned = lnurl
            screen = .scanned(host: lnurl.host(), problem: nil)
        } catch {
            screen = .scanning(problem: error.localizedDescription)
        }
    }

    /// The user agrees to the host.
    public func fetch() async {
        guard case .scanned(let host, _) = screen, let lnurl = scanned else { return }
        screen = .fetching(host: host)
        do {
            let fetched = try await client.fetch(lnurl: lnurl)
            request = fetched
            await showState(of: fetched, problem: nil)
        } catch {
            screen = .scanned(host: host, problem: error.localizedDescription)
        }
    }

    public func accept() async {
        await run { try await $0.acceptOrPause() }
    }

    /// Wait on for a channel that was asked for.
    public func resume() async {
        await run { try await $0.resumeOrPause() }
    }

    /// The user has no patience: `resume` goes on later.
    public func pause() {
        call?.cancel()
    }

    /// iOS suspends an app in the background; a paused request loses nothing.
    public func enterBackground() {
        wasRunning = call != nil
        pause()
    }

    /// Goes on with what `enterBackground` has stopped.
    public func enterForeground() async {
        client.checkPeers()
        guard wasRunning else { return }
        wasRunning = false
        // It may still be ending.
        await call?.value
        switch request?.state() {
        // The user had agreed, and nobody was asked.
        case .connecting: await accept()
        case .requesting, .awaiting, .outcomeUnknown: await resume()
        default: break
        }
    }

    public func decline() async {
        guard let request else { return }
        do {
            // It writes to the disk, which is not for the main thread.
            try await Task.detached { try request.decline() }.value
            await reset()
        } catch {
            await showState(of: request, problem: error.localizedDescription)
        }
    }

    /// Give up a channel that was asked for, and tell the service.
    public func cancel() async {
        guard let request else { return }
        do {
            try await request.cancel()
            if self.request === request { await reset() }
        } catch {
            await showState(of: request, problem: error.localizedDescription)
        }
    }

    /// Back to the start: the user has seen the outcome, the problem, or enough of the host.
    public func reset() async {
        (seen, scanned, request) = (nil, nil, nil)
        await showNext()
    }

    /// The oldest request that is left, if there is one.
    private func showNext() async {
        guard let left = client.unfinishedRequests().first else {
            screen = .scanning(problem: nil)
            return
        }
        request = left
        switch left.state() {
        // Returns at once, and the library knows that its end was seen.
        case .arrived: await resume()
        case .refused: await forget(left)
        default: await showState(of: left, problem: nil)
        }
    }

    /// What was refused in an earlier run can't be accepted in this one.
    private func forget(_ refused: ChannelRequest) async {
        do {
            try await Task.detached { try refused.decline() }.value
            request = nil
            screen = .scanning(problem: "\(refused.offer().service) has said no")
        } catch {
            await showState(of: refused, problem: error.localizedDescription)
        }
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
                let outcome = try await body(request)
                self.call = nil
                screen = .arrived(outcome)
            } catch {
                self.call = nil
                let problem = error is CancellationError ? nil : error.localizedDescription
                await showState(of: request, problem: problem)
            }
        }
        self.call = call
        await call.value
        steps.cancel()
    }

    private func show(_ event: ChannelEvent, of offer: ChannelOffer) {
        // A step that is read after the end is past.
        guard case .running(_, let steps) = screen else { return }
        screen = .running(offer, steps: steps + [event.sentence])
    }

    private func showState(of request: ChannelRequest, problem: String?) async {
        let offer = request.offer()
        switch request.state() {
        case .offered, .connecting, .refused:
            screen = .offered(offer, problem: problem)
        case .requesting, .awaiting, .outcomeUnknown:
            screen = .waiting(offer, problem: problem)
        case .arrived:
            screen = request.outcome().map { .arrived($0) } ?? .waiting(offer, problem: problem)
        case .declined, .cancelled:
            await reset()
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
