import Foundation
import LnurlChannel

/// A call that runs, for all that have joined it.
final class FakeRunningCall: @unchecked Sendable {
    typealias CallResult = Result<ChannelOutcome, LnurlChannelError>

    let before: ChannelRequestState
    let askedBefore: Bool
    let resuming: Bool
    private let lock = NSLock()
    private var ended: CallResult?
    private var waiters: [CheckedContinuation<CallResult, Never>] = []

    init(
        before: ChannelRequestState = .offered, askedBefore: Bool = false, resuming: Bool = false,
        ended: CallResult? = nil
    ) {
        self.before = before
        self.askedBefore = askedBefore
        self.resuming = resuming
        self.ended = ended
    }

    func end(_ result: CallResult) {
        let waiting = lock.withLock {
            ended = result
            defer { waiters = [] }
            return waiters
        }
        for waiter in waiting { waiter.resume(returning: result) }
    }

    func result() async -> CallResult {
        await withCheckedContinuation { waiter in
            let known: CallResult? = lock.withLock {
                if ended == nil { waiters.append(waiter) }
                return ended
            }
            if let ended = known { waiter.resume(returning: ended) }
        }
    }
}
