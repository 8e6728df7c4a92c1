import Foundation
import LnurlChannel

/// A channel as LND lists it; the peer opened it, or the wallet did.
public struct LndChannel: Sendable {
    public let isIncoming, isPending: Bool
    public let channel: IncomingChannel
}

/// A channel that is gone, or about to be.
public struct LndClosing: Sendable {
    public let peerId, channelId, reason: String
}

extension LndRest {
    /// All that LND has: pending ones, and those that both sides have found confirmed.
    public func channels() async throws -> [LndChannel] {
        // A block may come between the answers, and then the confirmations would not go with the lists.
        while true {
            let height = try await height()
            let channels = try await channels(at: height)
            if try await self.height() == height { return channels }
        }
    }

    private func height() async throws -> UInt32 {
        struct Info: Decodable { let blockHeight: UInt32 }
        let info: Info = try await get("/v1/getinfo")
        return info.blockHeight
    }

    private func channels(at height: UInt32) async throws -> [LndChannel] {
        let pending: Pending = try await get("/v1/channels/pending")
        let open: Open = try await get("/v1/channels")
        return pending.pendingOpenChannels.map { opening in
            let (channel, confirmations) = (opening.channel, confirmations(opening.confirmationHeight, height))
            var listed = IncomingChannel.listed(
                channel.remoteNodePub, .funded, channel.channelPoint, channel.capacity,
                channel.localBalance, channel.private)
            listed.confirmations = confirmations
            listed.confirmationsRequired = confirmations + opening.confirmationsUntilActive
            return LndChannel(
                isIncoming: channel.initiator == "INITIATOR_REMOTE", isPending: true, channel: listed)
        } + open.channels.map { channel in
            // `active` once both have sent `channel_ready`, while the peer is connected.
            var listed = IncomingChannel.listed(
                channel.remotePubkey, channel.active ? .ready : .funded, channel.channelPoint,
                channel.capacity, channel.pushAmountSat, channel.private)
            listed.isZeroConf = channel.zeroConf
            // The short id of a channel begins with its block; that of one without a block stands elsewhere.
            let shortId = UInt64(channel.zeroConf ? channel.zeroConfConfirmedScid : channel.chanId) ?? 0
            listed.confirmations = confirmations(UInt32(shortId >> 40), height)
            return LndChannel(isIncoming: !channel.initiator, isPending: false, channel: listed)
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

private func confirmations(_ funded: UInt32, _ height: UInt32) -> UInt32 {
    funded == 0 || funded > height ? 0 : height - funded + 1
}

private struct Pending: Decodable {
    struct Opening: Decodable { let channel: Channel, confirmationHeight, confirmationsUntilActive: UInt32 }
    struct Closing: Decodable { let channel: Channel }
    struct Channel: Decodable {
        let remoteNodePub, channelPoint, capacity, localBalance, initiator: String, `private`: Bool
    }
    let pendingOpenChannels: [Opening], waitingCloseChannels, pendingForceClosingChannels: [Closing]
}
private struct Open: Decodable {
    struct Channel: Decodable {
        let remotePubkey, channelPoint, capacity, pushAmountSat, chanId, zeroConfConfirmedScid: String
        let initiator, active, `private`, zeroConf: Bool
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
