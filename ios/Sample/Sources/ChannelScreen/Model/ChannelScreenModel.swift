import Foundation
import LnurlChannel

/// What the screen does: scan or paste, agree to the service, see the offer, accept, watch, look back.
///
/// Without SwiftUI, so that it runs, and is tested, wherever Swift does.
@MainActor
public final class ChannelScreenModel {
    public private(set) var state = ScreenState() {
        didSet { if state != oldValue { onChange(state) } }
    }
    public private(set) var saved = SavedScreen() {
        didSet { if saved != oldValue { onSave(saved) } }
    }
    public var onChange: @MainActor (ScreenState) -> Void = { _ in }
    public var onSave: @MainActor (SavedScreen) -> Void = { _ in }
    /// The app has left the foreground: how many seconds to leave until it looks again for its channels.
    public var onBackground: @MainActor (TimeInterval?) -> Void = { _ in }
    public let words = Words()

    /// The request on the screen.
    private struct Shown {
        let request: ChannelRequest
        var visibility = ChannelVisibility.unannounced
        var preflight: [ChannelConcern] = []
    }

    private let wallet: WalletClient
    private let time: any BackgroundTime
    private let decode: (String) throws -> Lnurl
    private let calls: RequestCalls
    /// None before the client is made.
    private var client: (any ChannelClientProtocol)?
    private(set) var waits: BackgroundWaits?
    private var isInForeground = false
    /// What the camera has seen last.
    private var seen: String?
    private var scanned: Lnurl?
    private var fetching: Task<ChannelRequest, any Error>?
    private var shown: Shown?

    /// - Parameters:
    ///   - time: on iOS, `UIApplication.shared`.
    ///   - onOutcome: a channel has come.
    public init(
        wallet: WalletClient, time: any BackgroundTime, onOutcome: @escaping OutcomeTaker,
        decode: @escaping (String) throws -> Lnurl = decodeLnurl
    ) {
        self.wallet = wallet
        self.time = time
        calls = RequestCalls(onOutcome: onOutcome)
        self.decode = decode
    }

    // MARK: from start to end

    /// Shows what the system kept of the screen. Nothing is sent: the user agrees to the service anew.
    public func restore(_ saved: SavedScreen) {
        // A link that started the app comes first.
        guard client == nil, state.page == .scan else { return }
        if let text = saved.scanned { open(text) }
        self.saved = saved
    }

    /// Makes the client, then follows its requests until the task that calls it is cancelled.
    public func run() async {
        (state.failedToStart, state.problem) = (false, nil)
        do {
            if client == nil { begin(try await wallet.client()) }
        } catch {
            (state.failedToStart, state.problem) = (true, words.sentence(error))
            return
        }
        for await _ in wallet.requests.updates() { refresh() }
    }

    /// At the start of the app too: goes on with what waits, and with what was paused in the background.
    public func enterForeground() {
        isInForeground = true
        waits?.enterForeground()
    }

    /// What runs goes on until iOS is about to suspend the app; a paused request loses nothing.
    public func enterBackground() {
        isInForeground = false
        waits?.leaveForeground()
        onBackground(client?.comeBackIn())
    }

    /// A channel has come, and the screen did not wait for it. It too is handed over once.
    public func handOver(_ request: ChannelRequest, _ outcome: ChannelOutcome) async {
        var problem: String?
        do {
            try await calls.handOver(request, outcome)
        } catch {
            problem = words.sentence(error)
        }
        if shown?.request.requestId() == request.requestId() { state.problem = problem }
    }

    private func begin(_ client: any ChannelClientProtocol) {
        self.client = client
        waits = BackgroundWaits(client: client, requests: wallet.requests, time: time) {
            [weak self] request, outcome in await self?.handOver(request, outcome)
        }
        if isInForeground { waits?.enterForeground() }
        if let request = saved.requestId.flatMap(client.request) {
            show(request)
        } else if state.page == .scan {
            showNext()
        }
    }

    // MARK: scan and agree

    /// The camera sees a code, many times a second. The same one leads on only once; it does so again
    /// when the user is back at the start.
    public func see(_ text: String) {
        guard state.page == .scan, text != seen else { return }
        seen = text
        open(text)
    }

    /// A text that was scanned, pasted, or comes from any web page or app. Nothing is sent to anyone, and
    /// what is waited for goes on.
    public func open(_ text: String) {
        do {
            let lnurl = try decode(text)
            leave()
            scanned = lnurl
            saved = SavedScreen(scanned: text)
            state.page = .consent(authority: lnurl.authority(), isFetching: false)
        } catch {
            state.problem = words.sentence(error)
        }
    }

    /// The user agrees to the service.
    public func fetch() async {
        guard case .consent(let authority, false) = state.page, let lnurl = scanned else { return }
        state.problem = nil
        state.page = .consent(authority: authority, isFetching: true)
        let fetching = Task { [wallet] in try await wallet.client().fetch(lnurl: lnurl) }
        self.fetching = fetching
        let result = await fetching.result
        // The user may be somewhere else by now.
        guard scanned === lnurl else { return }
        do {
            show(try result.get())
            await askNode()
        } catch {
            state.page = .consent(authority: authority, isFetching: false)
            state.problem = words.sentence(error)
        }
    }

    /// Back to the start. What was asked for stays so.
    public func back() {
        leave()
        seen = nil
        state.page = .scan
    }

    private func leave() {
        fetching?.cancel()
        (fetching, scanned, shown) = (nil, nil, nil)
        (state.problem, state.isAskingNode) = (nil, false)
        saved = SavedScreen()
    }

    // MARK: one request

    /// The user has tapped a line of the history.
    public func open(requestId: String) {
        guard let request = client?.request(requestId: requestId) else { return }
        leave()
        show(request)
    }

    /// The user chooses; the node may think otherwise of it.
    public func choose(_ visibility: ChannelVisibility) async {
        shown?.visibility = visibility
        shown?.preflight = []
        refresh()
        await askNode()
    }

    public func act(_ action: RequestAction) async {
        guard let shown else { return }
        let request = shown.request
        await report(of: request) {
            switch action {
            // It asks once: called again it waits on, and asks nobody.
            case .accept, .waitOn:
                try await calls.run(request) { try await $0.accept(visibility: shown.visibility) }
            case .askAgain:
                let visibility = request.snapshot().visibility ?? .unannounced
                try await calls.run(request) { try await $0.askAgain(visibility: visibility) }
            case .pause:
                try await mayBlock { request.pause() }
            case .decline, .cancel:
                try await request.cancel()
                // The user knows how it ended.
                try await end(request)
            case .dismiss:
                try await end(request)
            }
        }
    }

    /// What happened to the request on the screen, for a support team. It holds no secret.
    public func receipt() -> String? {
        shown?.request.receipt()
    }

    private func end(_ request: ChannelRequest) async throws {
        try await request.dismiss()
        if shown?.request === request { showNext() }
    }

    /// What stands in the way, as far as the wallet's own node tells.
    private func askNode() async {
        guard let asked = shown, asked.request.snapshot().state == .offered else { return }
        state.isAskingNode = true
        await report(of: asked.request) {
            let concerns = try await asked.request.preflight(visibility: asked.visibility)
            if isShown(asked) { shown?.preflight = concerns }
        }
        if isShown(asked) { state.isAskingNode = false }
    }

    private func isShown(_ asked: Shown) -> Bool {
        shown?.request === asked.request && shown?.visibility == asked.visibility
    }

    /// Runs a call for the request, and shows what came of it if the user still looks at the request.
    private func report(of request: ChannelRequest, _ call: () async throws -> Void) async {
        state.problem = nil
        var problem: String?
        do {
            try await call()
        } catch is CancellationError {
            // The user has left the screen.
        } catch LnurlChannelError.Cancelled, LnurlChannelError.Refused {
            // The request's state says so.
        } catch {
            problem = words.sentence(error)
        }
        guard shown?.request === request else { return }
        if let problem { state.problem = problem }
        refresh()
    }

    /// The newest request whose end the user has not seen, if there is one.
    private func showNext() {
        back()
        guard let next = wallet.requests.snapshots.first(where: { !$0.isDismissed }),
            let request = client?.request(requestId: next.requestId)
        else { return }
        show(request)
    }

    private func show(_ request: ChannelRequest) {
        shown = Shown(request: request)
        saved.requestId = request.requestId()
        refresh()
    }

    private func refresh() {
        var next = state
        next.history = wallet.requests.snapshots.map { HistoryRow($0, words: words) }
        if let shown {
            let snapshot = shown.request.snapshot()
            // Of an offer that was not accepted, the text is all that is left after a restart.
            if snapshot.state != .offered { saved.scanned = nil }
            next.page = .request(
                RequestPage(
                    snapshot, step: wallet.steps[snapshot.requestId], visibility: shown.visibility,
                    preflight: shown.preflight,
                    wasAccepted: wallet.requests.snapshot(of: snapshot.requestId) != nil, words: words))
        }
        state = next
    }
}
