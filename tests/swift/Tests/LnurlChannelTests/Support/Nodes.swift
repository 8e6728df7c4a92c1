import Foundation
import LnurlChannel

/// A key on the curve (its generator) that is nobody else's.
let plainNodeId = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"

/// Version 0, then a push of 20 bytes.
let p2wpkh = Data([0x00, 0x14] + [UInt8](repeating: 0x11, count: 20))

/// The testbed's own wallet node, over the control interface.
final class LdkNode: WalletNode {
    let testbed: Testbed
    let events = Watched<RequestEvent>()

    init(_ testbed: Testbed) {
        self.testbed = testbed
    }

    func nodeId() throws -> String {
        try testbed.wallet().text("id")
    }

    func connect(peer: PeerAddress) throws -> Bool {
        let body: [String: Any] = ["node_id": peer.nodeId, "host": peer.host, "port": peer.port]
        return try testbed.post("/wallet/connect", body).flag("connected")
    }

    func sendPeerMessage(peerId: String, messageType: UInt16, payload: Data) throws -> Bool {
        let body: [String: Any] = [
            "peer_id": peerId, "message_type": messageType, "payload_hex": payload.hex,
        ]
        return try testbed.post("/wallet/send", body).flag("sent")
    }

    func refundScriptPubkey(requestId: String) throws -> Data {
        p2wpkh
    }

    func onChannelEvent(requestId: String, event: ChannelEvent) throws {
        events.append(RequestEvent(requestId: requestId, event: event))
    }
}

/// A node of plain functions: it speaks no Lightning, and does as it is told.
final class PlainNode: WalletNode {
    let connecting = Watched<PeerAddress>()
    let events = Watched<RequestEvent>()
    private let onNodeId: @Sendable () throws -> String
    private let onConnect: @Sendable (PeerAddress) throws -> Bool
    private let onSend: @Sendable (Data) throws -> Bool
    private let onScript: @Sendable () throws -> Data
    private let onEvent: @Sendable (RequestEvent) throws -> Void

    init(
        nodeId: @escaping @Sendable () throws -> String = { plainNodeId },
        connect: @escaping @Sendable (PeerAddress) throws -> Bool = { _ in true },
        send: @escaping @Sendable (Data) throws -> Bool = { _ in true },
        script: @escaping @Sendable () throws -> Data = { p2wpkh },
        event: @escaping @Sendable (RequestEvent) throws -> Void = { _ in }
    ) {
        onNodeId = nodeId
        onConnect = connect
        onSend = send
        onScript = script
        onEvent = event
    }

    func nodeId() throws -> String {
        try onNodeId()
    }

    func connect(peer: PeerAddress) throws -> Bool {
        connecting.append(peer)
        return try onConnect(peer)
    }

    func sendPeerMessage(peerId: String, messageType: UInt16, payload: Data) throws -> Bool {
        try onSend(payload)
    }

    func refundScriptPubkey(requestId: String) throws -> Data {
        try onScript()
    }

    func onChannelEvent(requestId: String, event: ChannelEvent) throws {
        let step = RequestEvent(requestId: requestId, event: event)
        events.append(step)
        try onEvent(step)
    }
}
