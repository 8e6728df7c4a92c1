import Foundation
import LnurlChannel

/// Reports what an LND shows to the client: messages as they come, channels as it lists them.
///
/// The limit: LND has accepted a channel before it lists it, so a verdict can turn none down. That
/// takes LND's ChannelAcceptor, a stream in both directions, over gRPC or a WebSocket. And LND takes
/// one unconfirmed channel of each peer, if not told otherwise with `--maxpendingchannels`.
public struct LndReports: Sendable {
    private let lnd: LndRest
    private let client: any ChannelClientProtocol

    public init(_ lnd: LndRest, to client: any ChannelClientProtocol) {
        (self.lnd, self.client) = (lnd, client)
    }

    /// Returns or throws when the connection to LND ends; then start it again.
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
        let pending: Pending = try await lnd.get("/v1/channels/pending")
        for channel in pending.pendingOpenChannels.map(\.channel) where channel.initiator == "INITIATOR_REMOTE" {
            report(channel.remoteNodePub, channel.channelPoint, channel.capacity, channel.localBalance, channel.private)
        }
        let open: Open = try await lnd.get("/v1/channels")
        for channel in open.channels where !channel.initiator {
            report(channel.remotePubkey, channel.channelPoint, channel.capacity, channel.pushAmountSat, channel.private)
        }
    }

    private func report(_ peerId: String, _ point: String, _ capacity: String, _ push: String, _ isPrivate: Bool) {
        // BOLT-2: the id is the funding transaction's hash, XORed with the number of its output.
        let parts = point.split(separator: ":")
        var id = Data(Data(hex: String(parts[0])).reversed())
        let output = UInt16(parts[1])!
        id[30] ^= UInt8(output >> 8)
        id[31] ^= UInt8(output & 0xff)
        _ = client.reportIncomingChannel(
            channel: IncomingChannel(
                peerId: peerId, channelId: id.hex, stage: .funded, capacitySat: UInt64(capacity),
                pushMsat: UInt64(push).map { $0 * 1000 }, isAnnounced: !isPrivate))
    }
}
