import LnurlChannel

/// What the wallet does with a channel that has come. Of a hosted one, its own code goes on from the outcome's
/// message; the host is the offer's peer. After a restart it is told again, until the user has dismissed the
/// request. If it throws, the request's page shows why, and it is told again later.
public typealias OutcomeTaker = @MainActor (ChannelRequest, ChannelOutcome) async throws -> Void

/// The calls that wait for channels: one for each request, which goes on until the channel can be used.
@MainActor
final class RequestCalls {
    private let onOutcome: OutcomeTaker
    private var running: Set<String> = []
    private var handedOver: Set<Arrival> = []

    init(onOutcome: @escaping OutcomeTaker) {
        self.onOutcome = onOutcome
    }

    /// Does nothing while a call of this request runs.
    func run(
        _ request: ChannelRequest, _ call: (ChannelRequest) async throws -> ChannelOutcome
    ) async throws {
        let id = request.requestId()
        guard running.insert(id).inserted else { return }
        defer { running.remove(id) }
        try await handOver(request, try await call(request))
        if request.snapshot().awaitsReady { _ = try await request.awaitReady() }
    }

    /// Each channel once, however many wait for it.
    func handOver(_ request: ChannelRequest, _ outcome: ChannelOutcome) async throws {
        let arrival = Arrival(request.requestId(), outcome)
        guard handedOver.insert(arrival).inserted else { return }
        do {
            // In a task of its own: the end of the wait does not cancel it midway.
            try await Task { [onOutcome] in try await onOutcome(request, outcome) }.value
        } catch {
            handedOver.remove(arrival)
            throw error
        }
    }
}

/// A request may have several: where a funded channel is closed before it can be used, it awaits another.
private struct Arrival: Hashable {
    let requestId: String
    let channelId: String?

    init(_ requestId: String, _ outcome: ChannelOutcome) {
        self.requestId = requestId
        if case .funded(let channel) = outcome { channelId = channel.channelId } else { channelId = nil }
    }
}
