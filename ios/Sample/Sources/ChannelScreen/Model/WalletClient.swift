import Foundation
import LnurlChannel

/// The wallet's one client: made off the main thread, as it reads the disk, when it is first needed. After a
/// failure, such as a full disk, the next one who needs it tries again.
public actor WalletClient {
    /// Makes the client, and then starts the node.
    public typealias Make = @Sendable (any ChannelListener) throws -> any ChannelClientProtocol

    nonisolated let requests = ChannelRequests()
    nonisolated let steps: LastSteps
    private let make: Make
    private var making: Task<any ChannelClientProtocol, any Error>?

    public init(make: @escaping Make) {
        self.make = make
        steps = LastSteps(requests)
    }

    public func client() async throws -> any ChannelClientProtocol {
        if let making { return try await making.value }
        let making = Task { [make, steps, requests] in
            let client = try await mayBlock { try make(steps) }
            requests.follow(client)
            return client
        }
        self.making = making
        do {
            return try await making.value
        } catch {
            self.making = nil
            throw error
        }
    }
}

/// What happened last to each request; the rest is for `ChannelRequests`.
final class LastSteps: ChannelListener, @unchecked Sendable {
    private let requests: ChannelRequests
    private let lock = NSLock()
    private var steps: [String: ChannelStep] = [:]

    init(_ requests: ChannelRequests) {
        self.requests = requests
    }

    func onRequestChanged(request: ChannelRequestSnapshot, step: ChannelStep) {
        // That a call began, or the like, is no step to show.
        if step != .changed { lock.withLock { steps[request.requestId] = step } }
        requests.onRequestChanged(request: request, step: step)
    }

    subscript(_ requestId: String) -> ChannelStep? {
        lock.withLock { steps[requestId] }
    }
}
