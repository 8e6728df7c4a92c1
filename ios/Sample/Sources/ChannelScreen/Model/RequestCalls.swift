import LnurlChannel

/// The calls that wait for channels: one for each request, which goes on until the channel can be used.
@MainActor
final class RequestCalls {
    /// What the wallet does with a channel that has come: once for each request, however many wait for it.
    var onOutcome: @MainActor (ChannelOutcome) -> Void = { _ in }
    private var running: Set<String> = []
    private var handedOver: Set<String> = []

    /// Does nothing while a call of this request runs.
    func run(
        _ request: ChannelRequest, _ call: (ChannelRequest) async throws -> ChannelOutcome
    ) async throws {
        let id = request.requestId()
        guard running.insert(id).inserted else { return }
        defer { running.remove(id) }
        handOver(id, try await call(request))
        if request.snapshot().awaitsReady { _ = try await request.awaitReady() }
    }

    func handOver(_ requestId: String, _ outcome: ChannelOutcome) {
        if handedOver.insert(requestId).inserted { onOutcome(outcome) }
    }
}
