import Foundation
import LnurlChannel

/// A wallet whose node is an LND, for both kinds of channels. `LndReports` is the other direction.
///
/// The macaroon: `lncli bakemacaroon info:read peers:read peers:write offchain:read offchain:write
/// address:write`. For hosted channels LND runs with `--protocol.custom-init=257`, and 32973 for older
/// hosts; their messages need no flag, as their types are in the range that LND leaves to others.
public struct LndWalletNode: AsyncWalletNode {
    private struct Nothing: Decodable {}
    private let lnd: LndRest

    public init(_ lnd: LndRest) {
        self.lnd = lnd
    }

    public func nodeId() async throws -> String {
        struct Info: Decodable { let identityPubkey: String }
        let info: Info = try await lnd.get("/v1/getinfo")
        return info.identityPubkey
    }

    public func connect(peer: PeerAddress) async throws -> Bool {
        // LND alone would try for two minutes. A slow Tor may need longer; then `LndRest` has to wait
        // longer too.
        struct Connect: Encodable { let addr: [String: String], timeout = 20 }
        if try await !isListed(peer.nodeId, withFeatures: false) {
            let address = ["pubkey": peer.nodeId, "host": peer.socketAddress()]
            let _: Nothing = try await lnd.post("/v1/peers", Connect(addr: address))
        }
        // LND answers before `init`, with which the peer's features come. Ten seconds for it.
        for _ in 0..<100 {
            if try await isListed(peer.nodeId, withFeatures: true) { return true }
            try await Task.sleep(nanoseconds: 100_000_000)
        }
        return false
    }

    private func isListed(_ nodeId: String, withFeatures: Bool) async throws -> Bool {
        struct Feature: Decodable {}
        struct Peer: Decodable { let pubKey: String, features: [String: Feature] }
        struct Peers: Decodable { let peers: [Peer] }
        let listed: Peers = try await lnd.get("/v1/peers")
        return listed.peers.contains { $0.pubKey == nodeId && !(withFeatures && $0.features.isEmpty) }
    }

    public func sendPeerMessage(peerId: String, messageType: UInt16, payload: Data) async throws -> Bool {
        let message = LndMessage(peer: Data(hex: peerId), type: messageType, data: payload)
        let _: Nothing = try await lnd.post("/v1/custommessage", message)
        return true
    }

    /// Version 0, and the program of a new address, which bech32 holds in groups of five bits.
    public func refundScriptPubkey(requestId: String) async throws -> Data {
        struct New: Decodable { let address: String }
        let new: New = try await lnd.get("/v1/newaddress?type=WITNESS_PUBKEY_HASH")
        let digits = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l")
        let groups = new.address.split(separator: "1").last!.dropFirst().dropLast(6).map { digits.firstIndex(of: $0)! }
        var (script, bits, count) = (Data([0, 20]), 0, 0)
        for group in groups {
            (bits, count) = ((bits << 5 | group) & 0xfff, count + 5)
            if count >= 8 {
                count -= 8
                script.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        return script
    }
}
