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
        kind: .funded, service: "service.example", callbackHost: "service.example",
        peer: .fake, alias: nil)

    /// A hosted channel that a host offers.
    public static let fakeHosted = ChannelOffer(
        kind: .hosted, service: "service.example", callbackHost: nil, peer: .fake, alias: "a host")
}

extension IncomingChannel {
    /// A channel that the peer of `ChannelOffer.fake` proposes.
    public static let fake = IncomingChannel(
        peerId: PeerAddress.fake.nodeId, channelId: String(repeating: "01", count: 32),
        capacitySat: 100_000, pushMsat: 0, isAnnounced: false)
}

extension HostedChannelTerms {
    public static let fake = HostedChannelTerms(
        capacityMsat: 100_000_000, initialClientBalanceMsat: 0,
        maxHtlcValueInFlightMsat: 100_000_000, htlcMinimumMsat: 1_000, maxAcceptedHtlcs: 30)
}

extension ChannelOutcome {
    /// The channel of `IncomingChannel.fake`.
    public static let fake = ChannelOutcome.opening(channel: .fake)
    /// A hosted channel with the terms of `HostedChannelTerms.fake`.
    public static let fakeHosted = ChannelOutcome.hostedOffered(terms: .fake, message: Data())
}
