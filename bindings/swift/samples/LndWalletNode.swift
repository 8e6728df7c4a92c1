import Foundation
import LnurlChannel

/// A wallet whose node is an LND, for both kinds of channels. `LndReports` is the other direction.
///
/// The macaroon: `lncli bakemacaroon info:read peers:read peers:write offchain:read offchain:write
/// onchain:read address:write`. For hosted channels LND runs with `--protocol.custom-init=257`, and 32973 for older
/// hosts; their messages need no flag, as their types are in the range that LND leaves to others.
///
/// `maxPendingChannels` is LND's option of that name, and `reachesOnion` whether it runs with Tor: it tells
/// neither, but with its whole log.
public actor LndWalletNode: AsyncWalletNode {
    private struct Nothing: Decodable {}
    private let lnd: LndRest
    private let maxPendingChannels: UInt32
    private let reachesOnion: Bool?
    /// Peers that LND had no connection to before.
    private var connectedHere: Set<String> = []

    public init(_ lnd: LndRest, maxPendingChannels: UInt32 = 1, reachesOnion: Bool? = nil) {
        (self.lnd, self.maxPendingChannels, self.reachesOnion) = (lnd, maxPendingChannels, reachesOnion)
    }

    public func nodeId() async throws -> String {
        struct Info: Decodable { let identityPubkey: String }
        let info: Info = try await lnd.get("/v1/getinfo")
        return info.identityPubkey
    }

    /// LND keeps a reserve only for announced channels that it funds itself: none for those of others.
    public func readiness(peer: PeerAddress) async throws -> NodeReadiness {
        struct Balance: Decodable { let confirmedBalance, reservedBalanceAnchorChan: String }
        let channels = try await channels(with: peer)
        let balance: Balance = try await lnd.get("/v1/balance/blockchain")
        let confirmed = UInt64(balance.confirmedBalance) ?? 0
        let kept = UInt64(balance.reservedBalanceAnchorChan) ?? 0
        return NodeReadiness(
            channelIds: channels.compactMap(\.channel.channelId),
            onchainSat: confirmed - min(confirmed, kept),
            anchorReserveSat: 0,
            acceptsAnnounced: true,
            acceptsUnannounced: true,
            // That takes a ChannelAcceptor: see `LndReports`.
            acceptsZeroConf: false,
            pendingChannels: UInt32(channels.filter(\.isPending).count),
            maxPendingChannels: maxPendingChannels,
            reachesOnion: reachesOnion,
            hasCustomMessages: true)
    }

    /// LND remembers a peer by itself once it has a channel with it.
    public func connect(peer: PeerAddress) async throws -> Bool {
        // LND alone would try for two minutes. A slow Tor may need longer; then `LndRest` has to wait
        // longer too.
        struct Connect: Encodable { let addr: [String: String], timeout = 20 }
        if try await features(peer) == nil {
            let address = ["pubkey": peer.nodeId, "host": peer.socketAddress]
            let _: Nothing = try await lnd.post("/v1/peers", Connect(addr: address))
            connectedHere.insert(peer.nodeId)
        }
        // LND answers before `init`, with which the peer's features come. Ten seconds for it.
        for _ in 0..<100 {
            if let count = try await features(peer), count > 0 { return true }
            try await Task.sleep(nanoseconds: 100_000_000)
        }
        return false
    }

    public func releasePeer(peer: PeerAddress) async throws {
        guard connectedHere.remove(peer.nodeId) != nil, try await channels(with: peer).isEmpty else { return }
        if try await features(peer) != nil { try await lnd.delete("/v1/peers/\(peer.nodeId)") }
    }

    public func sendPeerMessage(peerId: String, messageType: UInt16, payload: Data) async throws -> Bool {
        let message = LndMessage(peer: Data(hex: peerId), type: messageType, data: payload)
        let _: Nothing = try await lnd.post("/v1/custommessage", message)
        return true
    }

    public func refundScriptPubkey(requestId: String) async throws -> Data {
        struct New: Decodable { let address: String }
        let new: New = try await lnd.get("/v1/newaddress?type=WITNESS_PUBKEY_HASH")
        return .p2wpkhScript(of: new.address)
    }

    private func channels(with peer: PeerAddress) async throws -> [LndChannel] {
        try await lnd.channels().filter { $0.channel.peerId == peer.nodeId }
    }

    /// How many features the peer has told of; none if it is not connected.
    private func features(_ peer: PeerAddress) async throws -> Int? {
        struct Feature: Decodable {}
        struct Peer: Decodable { let pubKey: String, features: [String: Feature] }
        struct Peers: Decodable { let peers: [Peer] }
        let listed: Peers = try await lnd.get("/v1/peers")
        return listed.peers.first { $0.pubKey == peer.nodeId }?.features.count
    }
}
