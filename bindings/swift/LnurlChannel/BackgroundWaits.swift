import Foundation

/// The time that the system gives an app that has left the foreground: on iOS, `UIApplication`.
@MainActor public protocol BackgroundTime: AnyObject {
    /// Asks for time. None if there is none; else what `endBackgroundTime` has to be called with.
    /// `onExpiration` is called when the time is nearly over.
    func beginBackgroundTime(onExpiration: @escaping @MainActor () -> Void) -> Int?

    /// The app needs no more of it.
    func endBackgroundTime(_ id: Int)
}

/// Waits for channels as an app comes and goes: in the foreground for all of them, until they can be used;
/// in the background for those that have not come, for as long as the system allows.
///
/// ```swift
/// let waits = BackgroundWaits(client: client, requests: requests, time: UIApplication.shared)
/// // when the scene is .active
/// waits.enterForeground()
/// // when the scene is in the .background
/// waits.leaveForeground()
/// ```
///
/// Calls are paused when the system's time is nearly over and not before; the screen's own calls too.
/// Nobody is asked anything twice.
@MainActor public final class BackgroundWaits {
    private let client: any ChannelClientProtocol
    private let requests: ChannelRequests
    private let time: any BackgroundTime
    private let onOutcome: OutcomeHandler
    private let isInForeground = Flag()
    /// What ran when the app left the foreground; none before it has entered it.
    private var left: Set<String>?
    private(set) var waits: Task<Void, Never>?
    /// Pauses may write to the disk, for which the main thread does not wait.
    private(set) var pauses: Task<Void, Never>?
    private var watch: Task<Void, Never>?
    private var timeId: Int?

    /// - Parameters:
    ///   - client: whose requests are waited for.
    ///   - requests: the listener of `client`, which follows it.
    ///   - time: on iOS, `UIApplication.shared`.
    ///   - onOutcome: a channel has come. Of a hosted one the message is in its outcome, and it is told
    ///     again at each return, until the request is dismissed. Whoever waits for the same channel by
    ///     `accept` is told too.
    public init(
        client: any ChannelClientProtocol, requests: ChannelRequests, time: any BackgroundTime,
        onOutcome: @escaping OutcomeHandler = { _, _ in }
    ) {
        self.client = client
        self.requests = requests
        self.time = time
        self.onOutcome = onOutcome
    }

    /// The app has started, or is back.
    ///
    /// At the start it goes on with all that waits. Later it goes on with what ran when the app left the
    /// foreground and was paused meanwhile: what the user has paused stays so. Hosted channels that have
    /// come are handed over each time. Lost connections are made anew.
    public func enterForeground() {
        isInForeground.set(true)
        endTime()
        let left = left
        self.left = []
        waits = Task { [client, pauses, isInForeground, onOutcome] in
            await pauses?.value
            await mayBlock { client.checkPeers() }
            // Who waits for what still runs hears of it.
            let running = client.requests().filter(\.isRunning).map(\.requestId)
            await client.waitForAll(
                left?.subtracting(running), inForeground: { isInForeground.isSet }, onOutcome)
        }
    }

    /// The app is in the background: what runs goes on until the time is nearly over.
    ///
    /// Except for the waits until a channel can be used: they would need hours, and lose nothing.
    public func leaveForeground() {
        isInForeground.set(false)
        let running = client.requests().filter(\.isRunning)
        left = Set(running.map(\.requestId))
        pauseAll { $0.awaitsReady }
        guard timeId == nil, running.contains(where: { !$0.awaitsReady }) else { return }
        timeId = time.beginBackgroundTime { [weak self] in self?.expire() }
        // Without any, the system stops the app soon.
        guard timeId != nil else { return pauseAll { _ in true } }
        watch = Task { [weak self, requests] in
            for await list in requests.updates() where !list.contains(where: \.isRunning) { break }
            if !Task.isCancelled { self?.endTime() }
        }
    }

    private func expire() {
        let id = timeId
        timeId = nil
        endTime()
        pauseAll { _ in true }
        Task { [pauses, time] in
            await pauses?.value
            if let id { time.endBackgroundTime(id) }
        }
    }

    /// One after the other: what is paused is what runs by then.
    private func pauseAll(where isMeant: @escaping @Sendable (ChannelRequestSnapshot) -> Bool) {
        pauses = Task { [client, last = pauses] in
            await last?.value
            await mayBlock { client.pauseAll(where: isMeant) }
        }
    }

    /// Time that is not needed is given back at once, as the system asks.
    private func endTime() {
        watch?.cancel()
        watch = nil
        guard let id = timeId else { return }
        timeId = nil
        time.endBackgroundTime(id)
    }
}

/// Set on the main thread, and read on others.
private final class Flag: @unchecked Sendable {
    private let lock = NSLock()
    private var value = false

    var isSet: Bool { lock.withLock { value } }

    func set(_ value: Bool) { lock.withLock { self.value = value } }
}
