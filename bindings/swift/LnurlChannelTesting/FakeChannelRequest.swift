import Foundation
import LnurlChannel

/// A request for a wallet's own tests. Needs no native library.
///
/// It has no rules: a test says what each call leads to, and how the request stands.
///
/// ```swift
/// let clock = VirtualClock()
/// let request = FakeChannelRequest(clock: clock)
/// request.acceptReturns(.fake, after: .seconds(60))
/// request.becomes(.agreed) { $0.state = .awaiting }
/// ```
///
/// Of several answers to one method each call takes the next, and the last one stays.
@available(iOS 16, macOS 13, *)
public final class FakeChannelRequest: HandlelessRequest, @unchecked Sendable {
    private struct Record {
        var snapshot: ChannelRequestSnapshot
        weak var client: FakeChannelClient?
        var accepts: [ChannelVisibility] = []
        var asksAgain: [ChannelVisibility] = []
        var preflights: [ChannelVisibility] = []
        var awaitsReady = 0
        var receipt = "{}"
        var pauses = 0
        var cancels = 0
        var dismissals = 0
    }

    private let clock: any Clock<Duration>
    private let lock = NSLock()
    private var record: Record
    private let acceptScript = Script<ChannelOutcome>("accept")
    private let askAgainScript = Script<ChannelOutcome>("askAgain")
    private let awaitReadyScript = Script<IncomingChannel>("awaitReady")
    private let preflightScript = Script<[ChannelConcern]>("preflight", unsaid: [])
    private let cancelScript = Script<Void>("cancel", unsaid: ())
    private let dismissScript = Script<Void>("dismiss", unsaid: ())

    /// - Parameters:
    ///   - snapshot: how it stands at first.
    ///   - clock: what `after` is measured on. The default one stands still, so that an answer with `after`
    ///     does not come.
    public init(
        _ snapshot: ChannelRequestSnapshot = .fake(), clock: any Clock<Duration> = VirtualClock()
    ) {
        self.clock = clock
        record = Record(snapshot: snapshot)
        super.init()
    }

    /// Only the library makes objects from handles; a fake has none.
    public required init(unsafeFromHandle handle: UInt64) {
        fatalError("a fake has no handle")
    }

    public override var debugDescription: String {
        "FakeChannelRequest(\(requestId()), \(snapshot().state))"
    }

    // MARK: what the test says

    /// A call to `accept` returns `outcome`.
    public func acceptReturns(_ outcome: ChannelOutcome, after delay: Duration = .zero) {
        acceptScript.returns(outcome, after: delay)
    }

    /// A call to `accept` throws `error`.
    public func acceptThrows(_ error: LnurlChannelError, after delay: Duration = .zero) {
        acceptScript.throws(error, after: delay)
    }

    /// A call to `askAgain` returns `outcome`.
    public func askAgainReturns(_ outcome: ChannelOutcome, after delay: Duration = .zero) {
        askAgainScript.returns(outcome, after: delay)
    }

    /// A call to `askAgain` throws `error`.
    public func askAgainThrows(_ error: LnurlChannelError, after delay: Duration = .zero) {
        askAgainScript.throws(error, after: delay)
    }

    /// A call to `awaitReady` returns `channel`.
    public func awaitReadyReturns(_ channel: IncomingChannel, after delay: Duration = .zero) {
        awaitReadyScript.returns(channel, after: delay)
    }

    /// A call to `awaitReady` throws `error`.
    public func awaitReadyThrows(_ error: LnurlChannelError, after delay: Duration = .zero) {
        awaitReadyScript.throws(error, after: delay)
    }

    /// A call to `preflight` returns `concerns`; without this, none.
    public func preflightReturns(_ concerns: [ChannelConcern], after delay: Duration = .zero) {
        preflightScript.returns(concerns, after: delay)
    }

    /// A call to `preflight` throws `error`.
    public func preflightThrows(_ error: LnurlChannelError, after delay: Duration = .zero) {
        preflightScript.throws(error, after: delay)
    }

    /// `receipt` returns this.
    public func receiptReturns(_ receipt: String) {
        lock.withLock { record.receipt = receipt }
    }

    /// A call to `cancel` throws `error`; without this it returns at once.
    public func cancelThrows(_ error: LnurlChannelError, after delay: Duration = .zero) {
        cancelScript.throws(error, after: delay)
    }

    /// A call to `dismiss` throws `error`; without this it returns at once.
    public func dismissThrows(_ error: LnurlChannelError, after delay: Duration = .zero) {
        dismissScript.throws(error, after: delay)
    }

    /// The request stands so from now on, with the next revision. Its client lists it, and tells the
    /// listener in place, on this thread.
    public func becomes(_ snapshot: ChannelRequestSnapshot, _ step: ChannelStep = .changed) {
        let (next, client) = lock.withLock {
            let revision = record.snapshot.revision + 1
            record.snapshot = snapshot
            record.snapshot.revision = revision
            return (record.snapshot, record.client)
        }
        client?.changed(self, next, step)
    }

    /// The same, by what differs from how it stands.
    public func becomes(
        _ step: ChannelStep = .changed, _ change: (inout ChannelRequestSnapshot) -> Void
    ) {
        var snapshot = snapshot()
        change(&snapshot)
        becomes(snapshot, step)
    }

    // MARK: what the wallet did

    /// What each call to `accept` asked for.
    public var accepts: [ChannelVisibility] { lock.withLock { record.accepts } }
    /// What each call to `askAgain` asked for.
    public var asksAgain: [ChannelVisibility] { lock.withLock { record.asksAgain } }
    /// What each call to `preflight` was for.
    public var preflights: [ChannelVisibility] { lock.withLock { record.preflights } }
    /// How often `awaitReady` was called.
    public var awaitsReady: Int { lock.withLock { record.awaitsReady } }
    /// How often `pause` was called.
    public var pauses: Int { lock.withLock { record.pauses } }
    /// How often `cancel` was called.
    public var cancels: Int { lock.withLock { record.cancels } }
    /// How often `dismiss` was called.
    public var dismissals: Int { lock.withLock { record.dismissals } }

    // MARK: the request itself

    public override func requestId() -> String { snapshot().requestId }

    public override func snapshot() -> ChannelRequestSnapshot { lock.withLock { record.snapshot } }

    public override func performAccept(
        visibility: ChannelVisibility = .unannounced
    ) async throws -> ChannelOutcome {
        lock.withLock { record.accepts.append(visibility) }
        return try await acceptScript.play(on: clock)
    }

    public override func performAskAgain(
        visibility: ChannelVisibility = .unannounced
    ) async throws -> ChannelOutcome {
        lock.withLock { record.asksAgain.append(visibility) }
        return try await askAgainScript.play(on: clock)
    }

    public override func performAwaitReady() async throws -> IncomingChannel {
        lock.withLock { record.awaitsReady += 1 }
        return try await awaitReadyScript.play(on: clock)
    }

    public override func performPreflight(
        visibility: ChannelVisibility = .unannounced
    ) async throws -> [ChannelConcern] {
        lock.withLock { record.preflights.append(visibility) }
        return try await preflightScript.play(on: clock)
    }

    public override func receipt() -> String { lock.withLock { record.receipt } }

    public override func pause() {
        lock.withLock { record.pauses += 1 }
    }

    public override func cancel() async throws {
        lock.withLock { record.cancels += 1 }
        try await cancelScript.play(on: clock)
    }

    public override func dismiss() async throws {
        lock.withLock { record.dismissals += 1 }
        try await dismissScript.play(on: clock)
    }

    func belongs(to client: FakeChannelClient) {
        lock.withLock { record.client = client }
    }
}
