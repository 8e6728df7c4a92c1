import Foundation

extension ChannelRequestProtocol {
    /// `accept`, which `Task.cancel()` ends: as `pause` does, with `CancellationError`.
    ///
    /// The request can then be resumed, or accepted again where its state is `connecting`. What
    /// arrived before the cancellation took hold is returned, not lost. A `resume` that has joined
    /// the call ends with it.
    public func acceptOrPause(
        visibility: ChannelVisibility = .unannounced
    ) async throws -> ChannelOutcome {
        try await pausing { try await accept(visibility: visibility) }
    }

    /// `resume`, which `Task.cancel()` ends: as `pause` does, with `CancellationError`.
    ///
    /// Of a call that it has joined, it ends the whole.
    public func resumeOrPause() async throws -> ChannelOutcome {
        try await pausing { try await resume() }
    }

    private func pausing(
        _ call: () async throws -> ChannelOutcome
    ) async throws -> ChannelOutcome {
        try Task.checkCancellation()
        let running = RunningCall()
        do {
            return try await withTaskCancellationHandler {
                defer { running.end() }
                return try await call()
            } onCancel: {
                Task.detached { await running.pause { _ = self.pause() } }
            }
        } catch LnurlChannelError.Cancelled where Task.isCancelled {
            throw CancellationError()
        }
    }
}

/// A call from before it begins until it has ended.
private final class RunningCall: @unchecked Sendable {
    private let lock = NSLock()
    private var hasEnded = false

    func end() {
        lock.withLock { hasEnded = true }
    }

    /// Until the call has ended: it may not have begun yet, and a pause of what does not run is none.
    func pause(_ pause: @Sendable () -> Void) async {
        while pauseUnlessEnded(pause) {
            try? await Task.sleep(nanoseconds: 5_000_000)
        }
    }

    /// Under the lock, so that it never hits the call that comes after this one.
    private func pauseUnlessEnded(_ pause: () -> Void) -> Bool {
        lock.withLock {
            if !hasEnded { pause() }
            return !hasEnded
        }
    }
}
