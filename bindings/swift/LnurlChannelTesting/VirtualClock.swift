import Foundation

/// A clock that stands still until the test moves it.
///
/// ```swift
/// let clock = VirtualClock()
/// let request = FakeChannelRequest(clock: clock)
/// request.acceptReturns(.fake, after: .seconds(30))
/// let call = Task { try await request.accept() }
/// await clock.sleepers(1)           // the call waits
/// clock.advance(by: .seconds(30))   // and returns
/// ```
@available(iOS 16, macOS 13, *)
public final class VirtualClock: Clock, @unchecked Sendable {
    public struct Instant: InstantProtocol {
        /// Since the clock was made.
        public let elapsed: Duration

        public func advanced(by duration: Duration) -> Instant {
            Instant(elapsed: elapsed + duration)
        }

        public func duration(to other: Instant) -> Duration {
            other.elapsed - elapsed
        }

        public static func < (one: Instant, other: Instant) -> Bool {
            one.elapsed < other.elapsed
        }
    }

    private struct Sleeper {
        let deadline: Instant
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct Watcher {
        let id: UUID
        let count: Int
        let continuation: CheckedContinuation<Void, Never>
    }

    private let lock = NSLock()
    private var time = Instant(elapsed: .zero)
    private var sleeping: [UUID: Sleeper] = [:]
    private var watchers: [Watcher] = []

    public init() {}

    public var now: Instant { lock.withLock { time } }
    public var minimumResolution: Duration { .zero }

    /// Move the time, and wake whoever sleeps no longer than that.
    public func advance(by duration: Duration) {
        let woken = lock.withLock {
            time = time.advanced(by: duration)
            let due = sleeping.filter { $0.value.deadline <= time }
            for id in due.keys { sleeping[id] = nil }
            return due.values.sorted { $0.deadline < $1.deadline }
        }
        for sleeper in woken { sleeper.continuation.resume() }
    }

    /// Wait until `count` tasks sleep on this clock, or the task that waits is cancelled, as by a test's time limit.
    public func sleepers(_ count: Int) async {
        let id = UUID()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReached = lock.withLock {
                    if sleeping.count >= count { return true }
                    watchers.append(Watcher(id: id, count: count, continuation: continuation))
                    return false
                }
                if isReached { continuation.resume() }
                // A cancellation may have come before.
                if Task.isCancelled { leave(id) }
            }
        } onCancel: {
            leave(id)
        }
    }

    private func leave(_ id: UUID) {
        let watcher = lock.withLock { () -> Watcher? in
            watchers.firstIndex { $0.id == id }.map { watchers.remove(at: $0) }
        }
        watcher?.continuation.resume()
    }

    public func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
        let id = UUID()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                begin(id, Sleeper(deadline: deadline, continuation: continuation))
                // A cancellation may have come before.
                if Task.isCancelled { cancel(id) }
            }
        } onCancel: {
            cancel(id)
        }
    }

    private func begin(_ id: UUID, _ sleeper: Sleeper) {
        let reached: [Watcher]? = lock.withLock {
            guard sleeper.deadline > time else { return nil }
            sleeping[id] = sleeper
            defer { watchers.removeAll { $0.count <= sleeping.count } }
            return watchers.filter { $0.count <= sleeping.count }
        }
        guard let reached else { return sleeper.continuation.resume() }
        for watcher in reached { watcher.continuation.resume() }
    }

    private func cancel(_ id: UUID) {
        let sleeper = lock.withLock { sleeping.removeValue(forKey: id) }
        sleeper?.continuation.resume(throwing: CancellationError())
    }
}
