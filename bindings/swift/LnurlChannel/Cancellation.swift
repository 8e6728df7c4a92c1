import Foundation

extension ChannelRequestProtocol {
    /// `accept`, which `Task.cancel()` ends: as `pause` does, with `CancellationError`.
    ///
    /// The request can then be resumed, or accepted again where its state is `connecting`. What
    /// arrived before the cancellation took hold is returned, not lost. A `resume` that has joined
    /// the call ends with it.
    ///
    /// A cancellation leaves a call alone that ran before, and an `acceptOrPause` or `resumeOrPause`
    /// that began later. A plain `accept` or `resume` that begins before this one has returned, or at
    /// the same moment, it may end.
    public func acceptOrPause(
        visibility: ChannelVisibility = .unannounced
    ) async throws -> ChannelOutcome {
        try await pausing(mayJoin: false) { try await accept(visibility: visibility) }
    }

    /// `resume`, which `Task.cancel()` ends: as `pause` does, with `CancellationError`.
    ///
    /// Of a call that it has joined, it ends the whole. Other calls fare as with `acceptOrPause`.
    public func resumeOrPause() async throws -> ChannelOutcome {
        try await pausing(mayJoin: true) { try await resume() }
    }

    private func pausing(
        mayJoin: Bool, _ call: () async throws -> ChannelOutcome
    ) async throws -> ChannelOutcome {
        try Task.checkCancellation()
        let isRunning = isRunning()
        // There is nothing of its own that a cancellation could pause.
        guard mayJoin || !isRunning else { throw LnurlChannelError.WrongState(state: state()) }
        let open = OpenCall.begin(of: requestId(), joins: isRunning)
        do {
            return try await withTaskCancellationHandler {
                defer { open.end() }
                return try await call()
            } onCancel: {
                Task.detached { await open.pause { _ = self.pause() } }
            }
        } catch LnurlChannelError.Cancelled where Task.isCancelled {
            throw CancellationError()
        }
    }
}

/// A call from before it begins until it has returned, which may be some time after it ended.
private final class OpenCall: Sendable {
    /// Held over a pause too, so that it never hits a call that begins, or has begun, later.
    private static let lock = NSLock()
    nonisolated(unsafe) private static var calls: [String: [OpenCall]] = [:]

    private let requestId: String
    /// One more than that of the calls before it; of one that joins, theirs.
    private let number: Int

    private init(requestId: String, number: Int) {
        self.requestId = requestId
        self.number = number
    }

    static func begin(of requestId: String, joins: Bool) -> OpenCall {
        lock.withLock {
            let newest = newest(of: requestId)
            let call = OpenCall(requestId: requestId, number: joins ? newest : newest + 1)
            calls[requestId, default: []].append(call)
            return call
        }
    }

    func end() {
        Self.lock.withLock {
            let others = Self.calls[requestId, default: []].filter { $0 !== self }
            Self.calls[requestId] = others.isEmpty ? nil : others
        }
    }

    /// Until the call has returned: it may not have begun yet, and a pause of what does not run is
    /// none.
    func pause(_ pause: @Sendable () -> Void) async {
        while pauseUnlessEnded(pause) {
            try? await Task.sleep(nanoseconds: 5_000_000)
        }
    }

    private func pauseUnlessEnded(_ pause: () -> Void) -> Bool {
        Self.lock.withLock {
            guard Self.calls[requestId, default: []].contains(where: { $0 === self }) else {
                return false
            }
            if Self.newest(of: requestId) == number { pause() }
            return true
        }
    }

    /// Under the lock.
    private static func newest(of requestId: String) -> Int {
        calls[requestId, default: []].map(\.number).max() ?? 0
    }
}
