import LnurlChannel

/// What the one screen does: scan or paste, agree to the service, see the offer, accept, watch it.
///
/// Without SwiftUI, so that it runs, and is tested, wherever Swift does.
@MainActor
public final class ChannelScreenModel {
    public private(set) var screen = ChannelScreen.scanning(problem: nil) {
        didSet { if screen != oldValue { onChange(screen) } }
    }
    public var onChange: @MainActor (ChannelScreen) -> Void = { _ in }
    /// The channel is here. Of a hosted one, the wallet's own code goes on from the outcome's message.
    public var onOutcome: @MainActor (ChannelOutcome) -> Void = { _ in }

    private let client: any ChannelClientProtocol
    private let requests: ChannelRequests
    private let decode: (String) throws -> Lnurl
    /// What the camera has seen last.
    private var seen: String?
    private var scanned: Lnurl?
    private var request: ChannelRequest?
    private var call: Task<Void, Never>?
    private(set) var waits: BackgroundWaits?

    /// - Parameters:
    ///   - requests: the listener of `client`, which follows it.
    ///   - time: on iOS, `UIApplication.shared`.
    public init(
        client: any ChannelClientProtocol,
        requests: ChannelRequests,
        time: any BackgroundTime,
        decode: @escaping (String) throws -> Lnurl = decodeLnurl
    ) {
        self.client = client
        self.requests = requests
        self.decode = decode
        waits = BackgroundWaits(client: client, requests: requests, time: time) { [weak self] _, outcome in
            await self?.onOutcome(outcome)
        }
    }

    /// Shows what is left of an earlier run, and follows the request on the screen, until the task that
    /// calls it is cancelled.
    public func follow() async {
        if case .scanning = screen { await showNext() }
        for await _ in requests.updates() {
            guard case .request(_, let problem) = screen, let request else { continue }
            screen = .request(request.snapshot(), problem: problem)
        }
    }

    /// The camera sees a code, many times a second. The same one leads on only once; it does so again
    /// when the user is back at the start.
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
            screen = .scanned(authority: lnurl.authority(), problem: nil)
        } catch {
            screen = .scanning(problem: Self.sentence(error))
        }
    }

    /// The user agrees to the service.
    public func fetch() async {
        guard case .scanned(let authority, _) = screen, let lnurl = scanned else { return }
        screen = .fetching(authority: authority)
        do {
            show(try await client.fetch(lnurl: lnurl), problem: nil)
        } catch {
            screen = .scanned(authority: authority, problem: Self.sentence(error))
        }
    }

    /// Asks for the channel, and waits for it. Called again it waits on, and asks nobody.
    public func accept() async {
        await run { try await $0.accept() }
    }

    /// The user has decided so: the first channel may come all the same.
    public func askAgain() async {
        await run { try await $0.askAgain() }
    }

    /// The user has no patience: `accept` waits on later.
    public func pause() {
        call?.cancel()
    }

    /// What runs goes on until iOS is about to suspend the app; a paused request loses nothing.
    public func enterBackground() {
        waits?.leaveForeground()
    }

    /// At the start of the app too: goes on with what waits, and with what was paused in the background.
    public func enterForeground() {
        waits?.enterForeground()
    }

    /// Turn the offer down, or give up a channel that was asked for. The service is told if it was asked.
    public func cancel() async {
        await end { request in
            try await request.cancel()
            // The user knows how it ended.
            try await request.dismiss()
        }
    }

    /// The user has seen how it ended.
    public func dismiss() async {
        await end { try await $0.dismiss() }
    }

    /// Back to the start. What was asked for stays so, and is shown again after a restart.
    public func reset() {
        pause()
        (seen, scanned, request) = (nil, nil, nil)
        screen = .scanning(problem: nil)
    }

    /// The newest request that has not been seen to its end, if there is one.
    private func showNext() async {
        reset()
        // It may still be ending.
        await call?.value
        guard case .scanning = screen else { return }
        let left = requests.snapshots.first { !$0.isDismissed }
        guard let left, let request = client.request(requestId: left.requestId) else { return }
        show(request, problem: nil)
        // Returns at once, with what a hosted channel goes on from.
        if left.state == .arrived { await accept() }
    }

    private func end(_ body: (ChannelRequest) async throws -> Void) async {
        guard let request else { return }
        do {
            try await body(request)
            if self.request === request { await showNext() }
        } catch {
            if self.request === request { show(request, problem: Self.sentence(error)) }
        }
    }

    private func run(
        _ body: @escaping @Sendable (ChannelRequest) async throws -> ChannelOutcome
    ) async {
        guard let request, call == nil else { return }
        show(request, problem: nil)
        let call = Task {
            var problem: String?
            do {
                onOutcome(try await body(request))
            } catch {
                problem = Self.isPause(error) ? nil : Self.sentence(error)
            }
            self.call = nil
            if self.request === request { show(request, problem: problem) }
        }
        self.call = call
        await call.value
    }

    private func show(_ request: ChannelRequest, problem: String?) {
        self.request = request
        screen = .request(request.snapshot(), problem: problem)
    }

    /// By the user, or as the app was in the background: its state shows it.
    private static func isPause(_ error: any Error) -> Bool {
        error is CancellationError || (error as? LnurlChannelError) == .Cancelled
    }

    private static func sentence(_ error: any Error) -> String {
        (error as? LnurlChannelError)?.sentence ?? error.localizedDescription
    }
}
