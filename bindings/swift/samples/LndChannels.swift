import Foundation
import LnurlChannel

/// A channel as LND lists it; the peer opened it, or the wallet did.
public struct LndChannel: Sendable {
    public let isIncoming: Bool
    public let channel: IncomingChannel
}

/// A channel that is gone, or about to be.
public struct LndClosing: Sendable {
    public let peerId, channelId, reason: String
}

extension LndRest {
    /// All that LND has: pending ones, and those that both sides have found confirmed.
    public func channels() async throws -> [LndChannel] {
        let pending: Pending = try await get("/v1/channels/pending")
        let open: Open = try await get("/v1/channels")
        return pending.pendingOpenChannels.map(\.channel).map { channel in
            LndChannel(
                isIncoming: channel.initiator == "INITIATOR_REMOTE",
                channel: .listed(
                    channel.remoteNodePub, .funded, channel.channelPoint, channel.capacity,
                    channel.localBalance, channel.private))
        } + open.channels.map { channel in
            LndChannel(
                isIncoming: !channel.initiator,
                // `active` once both have sent `channel_ready`, while the peer is connected.
                channel: .listed(
                    channel.remotePubkey, channel.active ? .ready : .funded, channel.channelPoint,
                    channel.capacity, channel.pushAmountSat, channel.private))
        }
    }

    /// All that there ever were, and those whose closing is under way.
    public func closings() async throws -> [LndClosing] {
        let closed: Closed = try await get("/v1/channels/closed")
        let pending: Pending = try await get("/v1/channels/pending")
        return closed.channels.map {
            LndClosing(peerId: $0.remotePubkey, channelId: .channelId($0.channelPoint), reason: $0.closeType)
        } + (pending.waitingCloseChannels + pending.pendingForceClosingChannels).map(\.channel).map {
            LndClosing(peerId: $0.remoteNodePub, channelId: .channelId($0.channelPoint), reason: "closing")
        }
    }
}

private struct Pending: Decodable {
    struct Opening: Decodable { let channel: Channel }
    struct Channel: Decodable {
        let remoteNodePub, channelPoint, capacity, localBalance, initiator: String, `private`: Bool
    }
    let pendingOpenChannels, waitingCloseChannels, pendingForceClosingChannels: [Opening]
}
private struct Open: Decodable {
    struct Channel: Decodable {
        let remotePubkey, channelPoint, capacity, pushAmountSat: String, initiator, active, `private`: Bool
    }
    let channels: [Channel]
}
private struct Closed: Decodable {
    struct Channel: Decodable { let remotePubkey, channelPoint, closeType: String }
    let channels: [Channel]
}

extension IncomingChannel {
    fileprivate static func listed(
        _ peerId: String, _ stage: ChannelStage, _ point: String, _ capacity: String, _ push: String, _ isPrivate: Bool
    ) -> IncomingChannel {
        IncomingChannel(
            peerId: peerId, stage: stage, channelId: .channelId(point), capacitySat: UInt64(capacity),
            pushMsat: UInt64(push).map { $0 * 1000 }, isAnnounced: !isPrivate)
    }
}
