import Foundation

extension ChannelRequestSnapshot {
    /// Whether the channel was asked for and has not come: `accept` waits on, and asks nobody.
    public var awaitsChannel: Bool {
        switch state {
        case .awaiting, .outcomeUnknown, .opening: true
        default: false
        }
    }

    /// Whether the channel has come and cannot be used yet: `awaitReady` keeps its peer connected.
    public var awaitsReady: Bool { state == .arrived && offer.kind == .funded }

    /// Whether `accept` returns the message of a hosted channel, at once, and the user has not seen that it
    /// came. The wallet may not have the message: it came while no call ran, or just before the app ended.
    var hasHostedMessage: Bool { state == .arrived && offer.kind == .hosted && !isDismissed }
}

/// What a channel that has come is given to; the message of a hosted one is in its outcome.
public typealias OutcomeHandler = @Sendable (ChannelRequest, ChannelOutcome) async -> Void

extension ChannelClientProtocol {
    /// Goes on with all that waits, while the app is in the foreground: with `accept` for a channel that
    /// has not come, then with `awaitReady` until it can be used. Hosted channels that have come are handed
    /// over. Nobody is asked anything.
    ///
    /// For the start of the app, and for its return to the foreground. It returns when nothing waits any
    /// more; to confirm a channel can take hours. What a call ends with, the request's snapshot shows.
    /// Cancelling its task ends its waits, and pauses the requests for which nobody else waits.
    ///
    /// - Parameter onOutcome: a channel has come. Of a hosted one the message is in its outcome, and it is
    ///   told again each time, until the request is dismissed. Whoever waits for the same channel by
    ///   `accept` is told too.
    public func goOn(onOutcome: @escaping OutcomeHandler = { _, _ in }) async {
        await mayBlock { self.checkPeers() }
        await waitForAll(inForeground: { true }, onOutcome)
    }

    /// Goes on with the channels that have not come, for as long as a phone lets an app work in the
    /// background, and hands over hosted ones that have. Nobody is asked anything, and nothing is kept
    /// connected until it is ready.
    ///
    /// After `limit` seconds, or when nothing waits any more, it ends its waits, which pauses the
    /// requests for which nobody else waits, and returns how many seconds to leave until the next time:
    /// none if no channel is awaited. Cancelling its task, as in a `BGAppRefreshTask`'s expiration
    /// handler, does the same at once.
    ///
    /// - Parameters:
    ///   - limit: in seconds.
    ///   - onOutcome: a channel has come. Of a hosted one the message is in its outcome, and it is told
    ///     again each time, until the request is dismissed. Whoever waits for the same channel by `accept`
    ///     is told too.
    public func goOnInBackground(
        limit: TimeInterval = 25, onOutcome: @escaping OutcomeHandler = { _, _ in }
    ) async -> TimeInterval? {
        await goOnInBackground(onOutcome: onOutcome) {
            try await Task.sleep(nanoseconds: UInt64(limit * 1_000_000_000))
        }
    }

    /// How many seconds to leave until the next `goOnInBackground`: none if no channel is awaited.
    ///
    /// A quarter of the time since the newest awaited channel was offered, at least 15 minutes and at
    /// most 12 hours. It is the earliest time: iOS decides itself when it lets an app work. A call that is
    /// still asking for its channel counts too, as the channel may be awaited by then.
    public func comeBackIn(now: Date = Date()) -> TimeInterval? {
        let newest = requests().filter { $0.awaitsChannel || $0.isAsking }.map(\.createdAt).max()
        return newest.map { min(max(now.timeIntervalSince($0) / 4, 15 * 60), 12 * 3600) }
    }

    /// Pauses every call that runs, whoever waits for it: for when the system is about to stop the app.
    /// Each ends with `Cancelled`, or is ready by then.
    ///
    /// It may write to the disk. `goOn` goes on.
    ///
    /// - Parameter isMeant: which of them, such as those that `awaitsReady` when the app leaves the
    ///   foreground.
    public func pauseAll(where isMeant: (ChannelRequestSnapshot) -> Bool = { _ in true }) {
        for snapshot in requests() where snapshot.isRunning && isMeant(snapshot) {
            request(requestId: snapshot.requestId)?.pause()
        }
    }

    /// - Parameter untilLimit: returns when the time is over.
    func goOnInBackground(
        onOutcome: @escaping OutcomeHandler, untilLimit: @escaping @Sendable () async throws -> Void
    ) async -> TimeInterval? {
        await mayBlock { self.checkPeers() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await untilLimit() }
            group.addTask { await self.waitForAll(inForeground: { false }, onOutcome) }
            await group.next()
            group.cancelAll()
        }
        return comeBackIn()
    }

    /// - Parameters:
    ///   - ids: of the requests that are waited for; all if none are given. Hosted channels that have come
    ///     are handed over whatever they are.
    ///   - isInForeground: asked before it awaits that a channel is ready.
    func waitForAll(
        _ ids: Set<String>? = nil, inForeground isInForeground: @escaping @Sendable () -> Bool,
        _ onOutcome: @escaping OutcomeHandler
    ) async {
        await withTaskGroup(of: Void.self) { group in
            for snapshot in requests() {
                let isMeant = ids?.contains(snapshot.requestId) ?? true
                let takesOutcome = snapshot.hasHostedMessage || (isMeant && snapshot.awaitsChannel)
                guard takesOutcome || (isMeant && snapshot.awaitsReady && isInForeground()),
                    let request = request(requestId: snapshot.requestId)
                else { continue }
                group.addTask { await wait(for: request, takesOutcome, isInForeground, onOutcome) }
            }
        }
    }
}

extension ChannelRequestSnapshot {
    fileprivate var isAsking: Bool { isRunning && (state == .connecting || state == .requesting) }
}

/// - Parameter takesOutcome: as it stood when it was listed: a channel that came since then is told too.
private func wait(
    for request: ChannelRequest, _ takesOutcome: Bool, _ isInForeground: @Sendable () -> Bool,
    _ onOutcome: OutcomeHandler
) async {
    if takesOutcome {
        // Why it fails, the snapshot shows.
        guard let outcome = try? await request.accept() else { return }
        await onOutcome(request, outcome)
    }
    guard isInForeground(), request.snapshot().awaitsReady else { return }
    _ = try? await request.awaitReady()
}
