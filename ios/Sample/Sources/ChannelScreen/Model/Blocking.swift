import Foundation

/// Runs what may wait for the disk on a thread of its own: not on the main thread, and not on one of the few
/// that run all tasks.
func mayBlock<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { done in
        queue.async { done.resume(with: Result(catching: work)) }
    }
}

private let queue = DispatchQueue(label: "com.example.wallet.blocking")
