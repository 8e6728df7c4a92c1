import Foundation
import LnurlChannel

/// Reports what an LND shows to the client: messages and connections as they come, channels as it lists
/// them.
///
/// The limits: LND has accepted a channel before it lists it, so a verdict can turn none down. That
/// takes LND's ChannelAcceptor, a stream in both directions, over gRPC or a WebSocket. LND takes one
/// unconfirmed channel of each peer, if not told otherwise with `--maxpendingchannels`. And it gives
/// up a channel that does not confirm only after 2016 blocks, whatever became of its funding
/// transaction.
public struct LndReports: Sendable {
    private struct Line<Result: Decodable>: Decodable { let result: Result }
    private struct PeerEvent: Decodable { let pubKey, type: String }

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
        for try await line in lnd.lines("/v1/custommessage/subscribe") {
            let message = (try LndRest.decode(line) as Line<LndMessage>).result
            _ = client.reportPeerMessage(
                peerId: message.peer.hex, messageType: message.type, payload: message.data)
        }
    }

    /// Ends as `reportMessages` does; start it again then.
    public func reportConnections() async throws {
        for try await line in lnd.lines("/v1/peers/subscribe") {
            let event = (try LndRest.decode(line) as Line<PeerEvent>).result
            client.reportPeerConnection(peerId: event.pubKey, isConnected: event.type == "PEER_ONLINE")
        }
    }

    /// Has all channels reported at once when LND tells that one has changed. Ends as `reportMessages` does.
    public func reportChannelEvents() async throws {
        for try await _ in lnd.lines("/v1/channels/subscribe") { try await reportChannels() }
    }

    /// Every few seconds: what was reported before changes nothing. It has each block that comes.
    public func reportChannels() async throws {
        for listed in try await lnd.channels() where listed.isIncoming {
            _ = client.reportIncomingChannel(channel: listed.channel)
        }
        for closing in try await lnd.closings() {
            client.reportChannelClosed(
                peerId: closing.peerId, channelId: closing.channelId, reason: closing.reason)
        }
    }
}
