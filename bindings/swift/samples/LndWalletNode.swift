import Foundation
import LnurlChannel

/// A wallet whose node is an LND, for both kinds of channels. `LndReports` is the other direction.
///
/// The macaroon: `lncli bakemacaroon info:read peers:read peers:write offchain:read offchain:write
/// address:write`. For hosted channels LND runs with `--protocol.custom-init=257`, and 32973 for older
/// hosts; their messages need no flag, as their types are in the range that LND leaves to others.
public actor LndWalletNode: AsyncWalletNode {
    private struct Nothing: Decodable {}
    private let lnd: LndRest
    /// Peers that LND had no connection to before.
    private var connectedHere: Set<String> = []

    public init(_ lnd: LndRest) {
        self.lnd = lnd
    }

    public func nodeId() async throws -> String {
        struct Info: Decodable { let identityPubkey: String }
        let info: Info = try await lnd.get("/v1/getinfo")
        return info.identityPubkey
    }

    public func readiness(peer: PeerAddress) async throws -> NodeReadiness {
        NodeReadiness(channelIds: try await channelIds(peer))
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
        guard connectedHere.remove(peer.nodeId) != nil, try await channelIds(peer).isEmpty else { return }
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

    private func channelIds(_ peer: PeerAddress) async throws -> [String] {
        try await lnd.channels().map(\.channel).filter { $0.peerId == peer.nodeId }.compactMap(\.channelId)
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
