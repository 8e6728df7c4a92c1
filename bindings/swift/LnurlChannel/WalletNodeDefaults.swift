import Foundation

// A wallet without hosted channels writes four methods: `nodeId`, `readiness`, `connect` and
// `releasePeer`.

extension WalletNode {
    /// Not supported: only hosted channels need it.
    public func sendPeerMessage(peerId: String, messageType: UInt16, payload: Data) throws -> Bool {
        throw noHostedChannels
    }

    /// Not supported: only hosted channels need it.
    public func refundScriptPubkey(requestId: String) throws -> Data {
        throw noHostedChannels
    }
}

extension AsyncWalletNode {
    /// Not supported: only hosted channels need it.
    public func sendPeerMessage(
        peerId: String, messageType: UInt16, payload: Data
    ) async throws -> Bool {
        throw noHostedChannels
    }

    /// Not supported: only hosted channels need it.
    public func refundScriptPubkey(requestId: String) async throws -> Data {
        throw noHostedChannels
    }
}

private let noHostedChannels = WalletNodeError.Unsupported(
    reason: "this wallet has no hosted channels")
