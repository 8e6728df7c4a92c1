import Foundation
import LnurlChannel

/// A key on the curve (its generator) that is nobody else's.
let plainNodeId = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"

/// Version 0, then a push of 20 bytes.
let p2wpkh = Data([0x00, 0x14] + [UInt8](repeating: 0x11, count: 20))

/// The testbed's own wallet node, over the control interface.
final class LdkNode: WalletNode {
    let testbed: Testbed

    init(_ testbed: Testbed) {
        self.testbed = testbed
    }

    func nodeId() throws -> String {
        try testbed.wallet().text("id")
    }

    func readiness(peer: PeerAddress) throws -> NodeReadiness {
        NodeReadiness(channelIds: try testbed.channelIds(with: peer.nodeId))
    }

    func connect(peer: PeerAddress) throws -> Bool {
        let body: [String: Any] = ["node_id": peer.nodeId, "host": peer.host, "port": peer.port]
        return try testbed.post("/wallet/connect", body).flag("connected")
    }

    func releasePeer(peer: PeerAddress) throws {
        if try testbed.channelIds(with: peer.nodeId).isEmpty {
            try testbed.post("/wallet/disconnect", ["node_id": peer.nodeId])
        }
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
}

/// A node of plain functions: it speaks no Lightning, and does as it is told.
final class PlainNode: WalletNode {
    let connecting = Watched<PeerAddress>()
    let released = Watched<PeerAddress>()
    private let onNodeId: @Sendable () throws -> String
    private let onReadiness: @Sendable () throws -> NodeReadiness
    private let onConnect: @Sendable (PeerAddress) throws -> Bool
    private let onRelease: @Sendable () throws -> Void
    private let onSend: @Sendable (Data) throws -> Bool
    private let onScript: @Sendable () throws -> Data

    init(
        nodeId: @escaping @Sendable () throws -> String = { plainNodeId },
        readiness: @escaping @Sendable () throws -> NodeReadiness = { NodeReadiness(channelIds: []) },
        connect: @escaping @Sendable (PeerAddress) throws -> Bool = { _ in true },
        release: @escaping @Sendable () throws -> Void = {},
        send: @escaping @Sendable (Data) throws -> Bool = { _ in true },
        script: @escaping @Sendable () throws -> Data = { p2wpkh }
    ) {
        onNodeId = nodeId
        onReadiness = readiness
        onConnect = connect
        onRelease = release
        onSend = send
        onScript = script
    }

    func nodeId() throws -> String {
        try onNodeId()
    }

    func readiness(peer: PeerAddress) throws -> NodeReadiness {
        try onReadiness()
    }

    func connect(peer: PeerAddress) throws -> Bool {
        connecting.append(peer)
        return try onConnect(peer)
    }

    func releasePeer(peer: PeerAddress) throws {
        released.append(peer)
        try onRelease()
    }

    func sendPeerMessage(peerId: String, messageType: UInt16, payload: Data) throws -> Bool {
        try onSend(payload)
    }

    func refundScriptPubkey(requestId: String) throws -> Data {
        try onScript()
    }
}

/// A change of a request, as a listener hears of it.
struct Change: Sendable {
    let request: ChannelRequestSnapshot
    let step: ChannelStep
}

/// Keeps all that it hears.
final class Listener: ChannelListener {
    let changes = Watched<Change>()
    private let onChange: @Sendable (Change) throws -> Void

    init(_ onChange: @escaping @Sendable (Change) throws -> Void = { _ in }) {
        self.onChange = onChange
    }

    func onRequestChanged(request: ChannelRequestSnapshot, step: ChannelStep) throws {
        let change = Change(request: request, step: step)
        changes.append(change)
        try onChange(change)
    }

    /// Wait until a request has been in `state`.
    @discardableResult
    func hears(_ state: ChannelRequestState) async throws -> ChannelRequestSnapshot {
        try await changes.first("\(state)") { $0.request.state == state }.request
    }
}
