import Foundation
import LnurlChannel

extension PeerAddress {
    /// A peer for tests. Its key is on the curve.
    public static let fake = PeerAddress(
        nodeId: "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        host: "peer.example", port: 9735)
}

extension ChannelOffer {
    /// A funded channel that `service.example` offers.
    public static let fake = ChannelOffer(
        kind: .funded, peer: .fake, service: "service.example", callbackHost: "service.example")

    /// A hosted channel that a host offers.
    public static let fakeHosted = ChannelOffer(
        kind: .hosted, peer: .fake, service: "service.example", alias: "a host")
}

extension ChannelRequestSnapshot {
    /// A request for tests, with an id of its own; set what else it shall show:
    /// `.fake(state: .awaiting) { $0.isRunning = true }`.
    public static func fake(
        requestId: String = UUID().uuidString.lowercased(),
        offer: ChannelOffer = .fake,
        state: ChannelRequestState = .offered,
        _ change: (inout ChannelRequestSnapshot) -> Void = { _ in }
    ) -> ChannelRequestSnapshot {
        var snapshot = ChannelRequestSnapshot(
            requestId: requestId, revision: 0, offer: offer, state: state,
            createdAtSeconds: 1_800_000_000, updatedAtSeconds: 1_800_000_000)
        change(&snapshot)
        return snapshot
    }
}

extension IncomingChannel {
    /// A channel that the peer of `ChannelOffer.fake` funds.
    public static let fake = IncomingChannel(
        peerId: PeerAddress.fake.nodeId, stage: .funded,
        channelId: String(repeating: "01", count: 32), capacitySat: 100_000, pushMsat: 0,
        isAnnounced: false)
}

extension HostedChannelTerms {
    public static let fake = HostedChannelTerms(
        capacityMsat: 100_000_000, initialClientBalanceMsat: 0,
        maxHtlcValueInFlightMsat: 100_000_000, htlcMinimumMsat: 1_000, maxAcceptedHtlcs: 30)
}

extension ChannelOutcome {
    /// The channel of `IncomingChannel.fake`.
    public static let fake = ChannelOutcome.funded(channel: .fake)
    /// A hosted channel with the terms of `HostedChannelTerms.fake`.
    public static let fakeHosted = ChannelOutcome.hostedOffered(terms: .fake, message: Data())
}
