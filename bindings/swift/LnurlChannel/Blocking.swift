import Foundation

/// Runs what may wait for the disk on a thread of its own: not on the main thread, and not on one of the few
/// that run all tasks.
func mayBlock(_ work: @escaping @Sendable () -> Void) async {
    await withCheckedContinuation { done in
        queue.async {
            work()
            done.resume()
        }
    }
}

/// One is enough: what is called waits for the same lock.
private let queue = DispatchQueue(label: "dev.lnurlchannel.blocking")
