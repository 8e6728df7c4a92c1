import Foundation
import LnurlChannel

/// A request that does what it is told, by the same table of states as a real one.
///
/// Each `accept` and each `resume` takes the next of `calls`; when there is none left, all goes
/// well. Nothing of it touches the native library.
public final class FakeChannelRequest: HandlelessRequest, @unchecked Sendable {
    private let lock = NSRecursiveLock()
    private let fakeId: String
    private let fakeOffer: ChannelOffer
    private let createdAt: UInt64
    private let onEvent: @Sendable (_ requestId: String, _ event: ChannelEvent) -> Void
    private var script: [FakeCall]
    private var current: ChannelRequestState
    private var wasAsked = false
    private var wasAccepted = false
    private var wasReturned = false
    private var isShutDown = false
    private var arrived: ChannelOutcome?
    private var running: FakeRunningCall?
    private var asked: [ChannelVisibility] = []

    /// - Parameter onEvent: where its steps go, such as `ChannelEvents.send`.
    public init(
        requestId: String = UUID().uuidString.lowercased(),
        offer: ChannelOffer = .fake,
        createdAtSeconds: UInt64 = 0,
        state: ChannelRequestState = .offered,
        calls: [FakeCall] = [],
        onEvent: @escaping @Sendable (_ requestId: String, _ event: ChannelEvent) -> Void = {
            _, _ in
        }
    ) {
        fakeId = requestId
        fakeOffer = offer
        createdAt = createdAtSeconds
        script = calls
        current = state
        wasAccepted = ![.offered, .declined].contains(state)
        wasAsked = wasAccepted && state != .connecting
        wasReturned = [.declined, .cancelled].contains(state)
        if state == .arrived { arrived = offer.kind == .hosted ? .fakeHosted : .fake }
        self.onEvent = onEvent
        super.init()
    }

    /// Only the library makes objects from handles; a fake has none.
    public required init(unsafeFromHandle handle: UInt64) {
        fatalError("a fake has no handle")
    }

    // MARK: what the test does

    /// Append to the script.
    public func script(_ calls: FakeCall...) {
        locked { script += calls }
    }

    /// The visibility of every `accept` that began, in order.
    public var acceptedVisibilities: [ChannelVisibility] { locked { asked } }

    /// The channel arrives, whether or not a call runs. False where none is awaited.
    @discardableResult
    public func arrive(_ outcome: ChannelOutcome = .fake) -> Bool {
        let tell = arrival(of: outcome)
        tell?()
        return tell != nil
    }

    /// The running call fails. False if none runs.
    @discardableResult
    public func fail(_ error: LnurlChannelError) -> Bool {
        let call: FakeRunningCall? = lock.withLock {
            guard let call = running else { return nil }
            settle(error, before: call.before, askedBefore: call.askedBefore)
            running = nil
            return call
        }
        call?.end(.failure(error))
        return call != nil
    }

    /// What arrived failed before it was ready: the request awaits a channel again.
    public func channelFailed() {
        locked {
            guard current == .arrived else { return }
            arrived = nil
            wasReturned = false
            current = .awaiting
        }
    }

    /// Accepted, and no call has returned its end yet.
    public var isUnfinished: Bool {
        locked {
            let ended = [.refused, .arrived, .declined, .cancelled].contains(current)
            return wasAccepted && !(ended && wasReturned)
        }
    }

    public override var debugDescription: String { "FakeChannelRequest(\(fakeId), \(state()))" }

    // MARK: what the client does

    /// The channel arrives. What tells of it, to be called when no lock is held any more.
    func arrival(of outcome: ChannelOutcome) -> (() -> Void)? {
        let call: FakeRunningCall? = lock.withLock {
            guard mayArrive else { return nil }
            arrived = outcome
            current = .arrived
            wasReturned = false
            defer { running = nil }
            return running ?? FakeRunningCall()
        }
        return call.map { call in
            {
                self.onEvent(self.fakeId, .arrived(outcome: outcome))
                call.end(.success(outcome))
            }
        }
    }

    /// What arrived gives way to what is reported of it, or instead of it.
    func replaceOutcome(_ outcome: ChannelOutcome) {
        locked { if arrived != nil { arrived = outcome } }
    }

    /// Later calls are `Cancelled`.
    func shutDown() {
        locked { isShutDown = true }
        _ = pause()
    }

    var isAsked: Bool { locked { wasAsked } }

    var isAwaiting: Bool {
        locked {
            let awaits = [.requesting, .awaiting, .outcomeUnknown].contains(current)
            return wasAsked && arrived == nil && awaits
        }
    }

    var hasProposal: Bool {
        guard case .opening(let channel)? = outcome() else { return false }
        return channel.stage == .proposed
    }

    // MARK: what the wallet does

    public override func requestId() -> String { fakeId }
    public override func offer() -> ChannelOffer { fakeOffer }
    public override func createdAtSeconds() -> UInt64 { createdAt }
    public override func state() -> ChannelRequestState { locked { current } }
    public override func isRunning() -> Bool { locked { running != nil } }
    public override func outcome() -> ChannelOutcome? { locked { arrived } }

    public override func accept(
        visibility: ChannelVisibility = .unannounced
    ) async throws -> ChannelOutcome {
        let (call, plan) = try locked {
            let ended = [.arrived, .declined, .cancelled].contains(current)
            try refuseAfterShutdown()
            guard running == nil, !ended else { throw wrongState }
            asked.append(visibility)
            wasAccepted = true
            return begin(resuming: false)
        }
        play(plan, in: call)
        return try await end(of: call)
    }

    public override func resume() async throws -> ChannelOutcome {
        let (call, plan): (FakeRunningCall, FakeCall?) = try locked {
            try refuseAfterShutdown()
            if let running { return (running, nil) }
            if let arrived { return (FakeRunningCall(ended: .success(arrived)), nil) }
            guard wasAsked, [.awaiting, .outcomeUnknown].contains(current) else { throw wrongState }
            return begin(resuming: true)
        }
        if let plan { play(plan, in: call) }
        return try await end(of: call)
    }

    public override func pause() -> Bool {
        fail(.Cancelled)
    }

    public override func decline() throws {
        try locked {
            let ended = [.arrived, .declined, .cancelled].contains(current)
            try refuseAfterShutdown()
            guard running == nil, !ended else { throw wrongState }
            current = .declined
            wasReturned = true
        }
    }

    public override func cancel() async throws {
        let call: FakeRunningCall? = try locked {
            try refuseAfterShutdown()
            switch current {
            case .cancelled: return nil
            case .arrived, .declined: throw wrongState
            case .offered: current = .declined
            default: current = .cancelled
            }
            wasReturned = true
            defer { running = nil }
            return running
        }
        call?.end(.failure(.Cancelled))
    }

    // MARK: how a call goes

    private var wrongState: LnurlChannelError { .WrongState(state: current) }

    /// Under the lock.
    private func refuseAfterShutdown() throws {
        if isShutDown { throw LnurlChannelError.Cancelled }
    }

    private var mayArrive: Bool {
        locked { !isShutDown && (isAwaiting || wasAsked && arrived == nil && current == .refused) }
    }

    /// Under the lock.
    private func begin(resuming: Bool) -> (FakeRunningCall, FakeCall) {
        let call = FakeRunningCall(before: current, askedBefore: wasAsked, resuming: resuming)
        running = call
        let next = script.isEmpty ? .arrives() : script.removeFirst()
        return (call, next)
    }

    private func play(_ plan: FakeCall, in call: FakeRunningCall) {
        for step in plan.steps {
            // A step may have led the wallet to pause or to cancel.
            guard let event = locked({ running === call ? take(step, of: call) : nil }) else {
                continue
            }
            onEvent(fakeId, event)
        }
        guard locked({ running === call }) else { return }
        switch plan.end {
        case .returns(let outcome):
            locked { wasAsked = true }
            if !mayArrive { locked { current = .awaiting } }
            arrive(outcome)
        case .fails(let error): fail(error)
        case .waits: break
        }
    }

    /// Under the lock. None for a step that such a call does not take.
    private func take(_ step: FakeCall.Step, of call: FakeRunningCall) -> ChannelEvent? {
        let peer = fakeOffer.peer
        switch step {
        case .connecting:
            if !wasAsked { current = .connecting }
            return .connecting(peer: peer)
        case .requesting:
            if call.resuming { return nil }
            wasAsked = true
            wasReturned = false
            current = .requesting
            return .requesting(peer: peer)
        case .awaitingChannel:
            if !call.resuming { current = .awaiting }
            return .awaitingChannel(peer: peer)
        case .reconnecting(let attempt):
            return .reconnecting(peer: peer, attempt: attempt)
        }
    }

    /// Under the lock: the state that an error leaves.
    private func settle(
        _ error: LnurlChannelError, before: ChannelRequestState, askedBefore: Bool
    ) {
        switch error {
        case .Refused:
            current = .refused
        case .OutcomeUnknown, .InvalidResponse:
            current = .outcomeUnknown
        case .NoChannel:
            current = .awaiting
        case .Cancelled, .WrongState:
            if current == .requesting { current = .outcomeUnknown }
        default:
            // Nothing was sent.
            current = askedBefore ? before : .offered
            wasAsked = askedBefore
        }
    }

    private func end(of call: FakeRunningCall) async throws -> ChannelOutcome {
        let result = await call.result()
        switch result {
        case .failure(.Cancelled), .failure(.NoChannel), .failure(.OutcomeUnknown): break
        default:
            locked {
                if current == .offered { wasAccepted = false } else { wasReturned = true }
            }
        }
        return try result.get()
    }

    private func locked<T>(_ body: () throws -> T) rethrows -> T {
        try lock.withLock(body)
    }
}
