import Foundation
import LnurlChannel

/// Reports what an LND shows to the client: messages as they come, channels as it lists them.
///
/// The limits: LND has accepted a channel before it lists it, so a verdict can turn none down. That
/// takes LND's ChannelAcceptor, a stream in both directions, over gRPC or a WebSocket. LND takes one
/// unconfirmed channel of each peer, if not told otherwise with `--maxpendingchannels`. And it gives
/// up a channel that does not confirm only after 2016 blocks, whatever became of its funding
/// transaction.
public struct LndReports: Sendable {
    private let lnd: LndRest
    private let client: any ChannelClientProtocol

    public init(_ lnd: LndRest, to client: any ChannelClientProtocol) {
        (self.lnd, self.client) = (lnd, client)
    }

    /// Returns or throws when the connection to LND ends, or was silent for a minute; then start it
    /// again at once. LND keeps no messages: the answer of a host that comes in between is lost, and
    /// `accept` ends with `NoChannel`.
    ///
    /// Start it well before `accept` on a host: LND does not tell when it has begun to listen.
    public func reportMessages() async throws {
        struct Line: Decodable { let result: LndMessage }
        for try await line in lnd.lines("/v1/custommessage/subscribe") {
            let message = (try LndRest.decode(line) as Line).result
            _ = client.reportPeerMessage(
                peerId: message.peer.hex, messageType: message.type, payload: message.data)
        }
    }

    /// Before each `accept`, so that older channels are known as such; then every few seconds.
    public func reportChannels() async throws {
        struct Pending: Decodable {
            struct Channel: Decodable {
                let remoteNodePub, channelPoint, capacity, localBalance, initiator: String, `private`: Bool
            }
            struct Opening: Decodable { let channel: Channel }
            let pendingOpenChannels: [Opening]
        }
        struct Open: Decodable {
            struct Channel: Decodable {
                let remotePubkey, channelPoint, capacity, pushAmountSat: String, initiator, `private`: Bool
            }
            let channels: [Channel]
        }
        struct Closed: Decodable {
            struct Channel: Decodable { let remotePubkey, channelPoint: String }
            let channels: [Channel]
        }
        let pending: Pending = try await lnd.get("/v1/channels/pending")
        for channel in pending.pendingOpenChannels.map(\.channel) where channel.initiator == "INITIATOR_REMOTE" {
            report(channel.remoteNodePub, channel.channelPoint, channel.capacity, channel.localBalance, channel.private)
        }
        let open: Open = try await lnd.get("/v1/channels")
        for channel in open.channels where !channel.initiator {
            report(channel.remotePubkey, channel.channelPoint, channel.capacity, channel.pushAmountSat, channel.private)
        }
        // All that there ever were: what was reported before changes nothing.
        let failed: Closed = try await lnd.get("/v1/channels/closed?funding_canceled=true")
        for channel in failed.channels {
            client.reportChannelFailed(peerId: channel.remotePubkey, channelId: .channelId(channel.channelPoint))
        }
    }

    private func report(_ peerId: String, _ point: String, _ capacity: String, _ push: String, _ isPrivate: Bool) {
        _ = client.reportIncomingChannel(
            channel: IncomingChannel(
                peerId: peerId, channelId: .channelId(point), stage: .funded, capacitySat: UInt64(capacity),
                pushMsat: UInt64(push).map { $0 * 1000 }, isAnnounced: !isPrivate))
    }
}
