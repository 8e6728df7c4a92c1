import Foundation

/// Loads the library, calls its first function, and makes a client.
_ = try decodeLnurl(text: "lnurl1dp68gurn8ghj7etcv9khqmr99e3k7mf0w4exctmrdpskumn9dsup0gp4")
_ = try ChannelClient(
    node: NoNode(), listener: NoListener(), config: ClientConfig(storageDir: nil))

/// Is not called.
final class NoNode: WalletNode {
    func nodeId() throws -> String { "" }
    func readiness(peer: PeerAddress) throws -> NodeReadiness { NodeReadiness(channelIds: []) }
    func connect(peer: PeerAddress) throws -> Bool { false }
    func releasePeer(peer: PeerAddress) throws {}
    func sendPeerMessage(peerId: String, messageType: UInt16, payload: Data) throws -> Bool { false }
    func refundScriptPubkey(requestId: String) throws -> Data { Data() }
}

/// Hears nothing.
final class NoListener: ChannelListener {
    func onRequestChanged(request: ChannelRequestSnapshot, step: ChannelStep) throws {}
}
